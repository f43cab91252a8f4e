// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "strings"

// Verdict is the answer to a gang.
type Verdict struct {
	Gang  string
	State State
	// Placement names a node for each rank when the gang is placed, apart from
	// ranks that were added to it and wait. For a gang that waits because it lost
	// nodes it is the last one, lost nodes included; otherwise it is empty.
	Placement []SetPlacement
	// Reason that the gang, or what was added to it, waits; nil when nothing does.
	Reason *Reason
	// LentBy are the gangs for which its places are kept: it gives way as soon as one of them can
	// start.
	LentBy []string
}

// State of a gang.
type State string

const (
	// Placed gangs run.
	Placed State = "Placed"
	// Waiting gangs fit once something changes in the cluster.
	Waiting State = "Waiting"
	// Never is a gang that does not fit even if nothing else ran: a person must
	// change it or the cluster.
	Never State = "Never"
)

// Code is the kind of a Reason, in the form of a condition's reason.
type Code string

const (
	// NoNodes says: the cluster has none.
	NoNodes Code = "NoNodes"
	// NoMatchingNode says: no node has the labels that are asked for and only taints
	// that are tolerated.
	NoMatchingNode Code = "NoMatchingNode"
	// NodesUnavailable says: those that match are cordoned or not ready.
	NodesUnavailable Code = "NodesUnavailable"
	// InsufficientResources says: there is too little room on those that match.
	InsufficientResources Code = "InsufficientResources"
	// InsufficientTopology says: there is room, but not within one domain.
	InsufficientTopology Code = "InsufficientTopology"
	// NoQueue says: the gang's project, or one above it, does not exist.
	NoQueue Code = "NoQueue"
	// QuotaExceeded says: a project would use more than its limit.
	QuotaExceeded Code = "QuotaExceeded"
	// Evicted says: the gang gave way to another one.
	Evicted Code = "Evicted"
	// MakingRoom says: others gave way to the gang, and their pods are ending.
	MakingRoom Code = "MakingRoom"
	// NodeLost says: a node under the gang is gone, and there is no other.
	NodeLost Code = "NodeLost"
	// NeverFits says: not even with the cluster to itself.
	NeverFits Code = "NeverFits"
)

// Reason is why, in people's words, with the reasons for that.
type Reason struct {
	Code    Code
	Text    string
	Because []Reason
	// Remedy says what would make it fit; empty when waiting does.
	Remedy string
	// Cause of an eviction, and Heir, who has the places next; empty for all other codes.
	Cause Cause
	Heir  string
	// Queue whose limit it is, of QuotaExceeded.
	Queue string
}

// Cause is why a gang gives way.
type Cause string

const (
	// ByPriority is to one of its queue with a higher priority.
	ByPriority Cause = "priority"
	// ByGuarantee is to one whose queue is guaranteed the places.
	ByGuarantee Cause = "guarantee"
	// ByAge is to one that has waited for very long, and that it overtook.
	ByAge Cause = "age"
	// ByIdleness is by one that lost a place and does not run without.
	ByIdleness Cause = "idle"
	// ByMove is to one that has waited for longer still, and that it overtook: there are
	// other places for it, once others have given way.
	ByMove Cause = "move"
	// ByRecall is to one for which the places are kept, and which lent them.
	ByRecall Cause = "recall"
	// BySurplus is to one of its queue that waits, while it can do with less.
	BySurplus Cause = "surplus"
)

// String is the whole tree in one line.
func (r *Reason) String() string {
	if r == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(r.Text)
	for i, because := range r.Because {
		b.WriteString([]string{": ", ", "}[min(i, 1)])
		b.WriteString(because.String())
	}
	if r.Remedy != "" {
		b.WriteString("; to fit, " + r.Remedy)
	}
	return b.String()
}
