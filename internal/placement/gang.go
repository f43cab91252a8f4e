// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unique"
)

// Gang is what is placed whole.
type Gang struct {
	// Key is unique among gangs.
	Key string
	// Queue that is charged; empty is none but the root.
	Queue string
	// User among whom the queue's share is divided again.
	User string
	// Priority; higher is tried first.
	Priority int32
	// Created is when it came, in seconds as Elapse tells them: of gangs of one priority
	// the elder goes first.
	Created int64
	// Limit on how long it runs, in seconds; zero for none.
	Limit int64
	// Kind of run: those of one kind take about as long. Empty is like no other.
	Kind string
	// Started is when it was placed, for one whose Placement was decided earlier. Like that
	// it is looked at only when the gang is not known yet.
	Started int64
	// Stopped is since when one that was placed before is not; zero for never.
	Stopped int64
	// Checkpointed is when it last saved what it has done so far.
	Checkpointed int64
	// Protected is for how long after its start it gives way to nobody, in seconds.
	Protected int64
	// Sets have unique names.
	Sets []PodSet
	// Promised is the number (Start.Number) of the start that it was promised, for one that
	// waits; zero for none. Like Placement it is looked at only when the gang is not known yet.
	Promised int64
	// PromisedAt is the moment of that start, in seconds as Elapse tells them.
	PromisedAt int64
	// Placement decided earlier. It is looked at only when the gang is not known
	// yet, and then is a fact, because pods may be running there.
	Placement []SetPlacement
	// GaveWayTo are the keys of the gangs to which it gave places whose pods may not have ended
	// yet, as Picture.GaveWayTo told them. Like Placement it is looked at only when the gang
	// is not known yet.
	GaveWayTo []string
	// LentBy are the keys of the gangs for which its places are kept, and to which it gives way,
	// as Picture.LentBy told them. Like Placement it is looked at only when the gang is not
	// known yet.
	LentBy []string
	// Waits says that the gang had lost part of its Placement, so that nothing
	// runs. Places are kept where there is room.
	Waits bool
	// Loose says that its pods run on without one that loses its place: what they hold is
	// never idle.
	Loose bool
	// Unfinished says that the Placement is part of a start that was cut off: the gang
	// does not run before the rest has places, too.
	Unfinished bool
}

// PodSet is a number of like pods.
type PodSet struct {
	Name  string
	Count int32
	// Optional is how many of Count the gang can do without. It starts when the others
	// have places, grows into room that nobody else starts in, and gives these places
	// up before it gives way whole.
	Optional int32
	// Spread puts each pod on the emptiest node, instead of keeping nodes free for others.
	Spread   bool
	Shape    Shape
	Topology Topology
	// Namespace and Labels that all of its pods have, for the terms of others.
	Namespace string
	Labels    map[string]string
}

// Shape is what one pod asks for. Its maps and slices are kept and must not be
// changed afterwards.
type Shape struct {
	Requests Resources
	// Selector are labels that the node must have.
	Selector map[string]string
	// Affinity is met by any of its terms; none at all is met by every node.
	Affinity []Term
	// Preferred decides among nodes that will do.
	Preferred   []Preference
	Tolerations []Toleration
	HostPorts   []HostPort
	// Near, Apart and Even say to which other pods it must be near, from which it keeps
	// away, and among which it is evenly divided.
	Near, Apart []PeerTerm
	Even        []Evenness
	// PreferredPeers decide among nodes that will do, together with Preferred.
	PreferredPeers []PeerPreference
}

// Topology keeps pods of a set close to one another: on nodes that share the value of
// a label, which are a domain of that label. What is empty asks for nothing.
type Topology struct {
	// Required is a label of which all pods must be in one domain.
	Required string
	// Preferred is a label of which they are in one domain, or as few as possible,
	// where that can be had.
	Preferred string
	// SliceLabel is a label of which every Slice pods, consecutive ranks, must be in one
	// domain.
	SliceLabel string
	Slice      int32
}

// SetPlacement is where the pods of one set go, in rank order.
type SetPlacement struct {
	Set   string
	Slots []Slot
}

// Slot is a run of consecutive ranks on one node, or on none where a gang runs
// without them.
type Slot struct {
	Node  string
	Count int32
}

// maxPods of a gang.
const maxPods = 1 << 20

// Validate names the field of a gang that no decision can be made about.
func (g *Gang) Validate() error {
	names := map[string]bool{}
	total := int64(0)
	for _, s := range g.Sets {
		if names[s.Name] {
			return fmt.Errorf("two pod sets are named %q; give each its own name", s.Name)
		}
		names[s.Name] = true
		if s.Count < 0 {
			return fmt.Errorf("pod set %q has count %d; use zero or more", s.Name, s.Count)
		}
		if s.Optional < 0 || s.Optional > s.Count {
			return fmt.Errorf("pod set %q can do without %d of %d pods; use zero to all of them", s.Name, s.Optional, s.Count)
		}
		if t := s.Topology; t.Slice < 0 || t.Slice > 0 != (t.SliceLabel != "") {
			return fmt.Errorf("pod set %q has slices of %d pods by the label %q; give a label and a size of one or more", s.Name, t.Slice, t.SliceLabel)
		}
		total += int64(s.Count)
		if err := s.Shape.validate(); err != nil {
			return fmt.Errorf("pod set %q: %w", s.Name, err)
		}
	}
	if total > maxPods {
		return fmt.Errorf("the gang has %d pods; use at most %d", total, maxPods)
	}
	return nil
}

func (s *Shape) validate() error {
	for _, name := range slices.Sorted(maps.Keys(s.Requests)) {
		if s.Requests[name] < 0 {
			return fmt.Errorf("request of %s is negative; use zero or more", name)
		}
	}
	for _, term := range s.Affinity {
		if err := term.validate(); err != nil {
			return fmt.Errorf("node affinity: %w", err)
		}
	}
	for _, preference := range s.Preferred {
		if err := preference.Term.validate(); err != nil {
			return fmt.Errorf("preferred node affinity: %w", err)
		}
	}
	for i, port := range s.HostPorts {
		if slices.ContainsFunc(s.HostPorts[:i], port.conflicts) {
			return fmt.Errorf("host port %d is asked for twice by one pod; no node can give it", port.Port)
		}
	}
	return s.validatePeers()
}

// key is the same for shapes that no decision tells apart.
func (s *Shape) key() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.Requests)) {
		fmt.Fprintf(&b, "%s=%d,", name, s.Requests[name])
	}
	for _, label := range slices.Sorted(maps.Keys(s.Selector)) {
		fmt.Fprintf(&b, "|%q=%q", label, s.Selector[label])
	}
	if len(s.Affinity)+len(s.Preferred)+len(s.Tolerations)+len(s.HostPorts) > 0 {
		fmt.Fprintf(&b, "|%#v|%#v|%#v|%#v", s.Affinity, s.Preferred, s.Tolerations, s.HostPorts)
	}
	return b.String()
}

// gang is a Gang being decided on.
type gang struct {
	Gang
	queue *queue // nil on the empty cluster
	user  *user
	sets  []set
	// shape of a gang of which nothing is placed; gangs with the same one get
	// the same answer.
	shape unique.Handle[string]
	// resuming gangs have a placement that is yet to be booked.
	resuming bool
	// moved says that Decide has something to tell about the gang.
	moved bool

	queued bool
	turn   turn
	// row in which it waits; nil for one that goes before all rows, and that does not wait.
	row *row
	// since is Picture.enqueued when it began to wait.
	since uint64
	// triedAt is one more than Picture.freed was when the gang was last found not
	// to fit; until that grows it is not tried again.
	triedAt uint64
	// explainedAt is Picture.changes when told was last brought up to date.
	explainedAt uint64
	told        Verdict
	promise     *promise
	// passedBy is the key of who started in spite of the promise; late is what it is told.
	passedBy string
	late     *late
	// idle is since when it holds places and does not run; zero for one that runs or has none.
	idle int64
	// clearance is the room that is being made for it, or nil; exits are the nodes that it
	// gave up itself, on which its pods may still be.
	clearance *clearance
	exits     []exit
	// heldFor is the key of the gang for which it is held back; empty for none.
	heldFor string
	// shelter is what kept others from giving way to it when they were asked last.
	shelter *shelter
	// holds so many places; holder is where it is in Picture.holders, if it has any.
	holds  int32
	holder int
	// twin is the same gang on the empty cluster.
	twin *gang
}

// set is a pod set and what is decided of it. The counts of its slots add up to
// the set's.
type set struct {
	*PodSet
	class *class
	// kin and signs are of each of its pods.
	kin kin
	signs
	slots []slot
	// least is how many of the pods are enough to run.
	least int32
}

// slot is a run of ranks. It holds room on its node; or it has lost its node and
// still names it; or it never had one.
type slot struct {
	node  string
	count int32
	held  bool
}

func (s slot) lost() bool  { return !s.held && s.node != "" }
func (s slot) fresh() bool { return s.node == "" }
func (s slot) known() bool { return s.node != "" }

func (g *gang) any(is func(slot) bool) bool {
	for k := range g.sets {
		if slices.ContainsFunc(g.sets[k].slots, is) {
			return true
		}
	}
	return false
}

// count the pods of the slots of a kind.
func (g *gang) count(is func(slot) bool) int32 {
	n := int32(0)
	for k := range g.sets {
		n += g.sets[k].count(is)
	}
	return n
}

func (s *set) count(is func(slot) bool) int32 {
	n := int32(0)
	for _, slot := range s.slots {
		if is(slot) {
			n += slot.count
		}
	}
	return n
}

func (s slot) isHeld() bool  { return s.held }
func (s slot) missing() bool { return !s.held }

// lacks is how many places must be found in each set before the gang runs: for one
// that was placed those that it lost and cannot do without. What is optional is not
// lacking, nor what was added to a gang that runs.
func (g *gang) lacks() []int32 {
	need := make([]int32, len(g.sets))
	for k := range g.sets {
		s := &g.sets[k]
		need[k] = max(s.least-s.count(slot.isHeld), 0)
		if !g.Unfinished {
			need[k] = min(need[k], s.count(slot.lost))
		}
	}
	if !some(need) && !g.any(slot.isHeld) {
		return g.minimum()
	}
	return need
}

// minimum is how many pods of each set are enough to start. A gang that can do without
// each of them starts with one, not with none.
func (g *gang) minimum() []int32 {
	need := make([]int32, len(g.sets))
	for k := range g.sets {
		need[k] = g.sets[k].least
	}
	if first := slices.IndexFunc(g.sets, func(s set) bool { return s.Count > 0 }); first >= 0 && !some(need) {
		need[first] = 1
	}
	return need
}

func some(pods []int32) bool { return slices.ContainsFunc(pods, func(n int32) bool { return n > 0 }) }

// placed is how many pods of each set have a place.
func (g *gang) placed() []int32 {
	have := make([]int32, len(g.sets))
	for k := range g.sets {
		have[k] = g.sets[k].count(slot.isHeld)
	}
	return have
}

// missing is how many pods of each set have no place.
func (g *gang) missing() []int32 {
	need := make([]int32, len(g.sets))
	for k := range g.sets {
		need[k] = g.sets[k].count(slot.missing)
	}
	return need
}

// runs says that the gang holds what it needs, be it all or not.
func (g *gang) runs() bool {
	return g.any(slot.isHeld) && !some(g.lacks())
}

// broken gangs were placed and do not run: all that they hold is idle.
func (g *gang) broken() bool { return (g.any(slot.lost) || g.Unfinished) && !g.runs() && !g.unplaced() }

// placement as it is told: ranks without which the gang runs have no node. While
// it does not run, those that lost their node keep its name until they have another.
// The end of a set that has no place is left out.
func (g *gang) placement() []SetPlacement {
	if g.unplaced() {
		return nil
	}
	runs := g.runs()
	out := make([]SetPlacement, 0, len(g.sets))
	for _, s := range g.sets {
		p := SetPlacement{Set: s.Name}
		for _, slot := range s.slots {
			node := slot.node
			if runs && !slot.held {
				node = ""
			}
			if last := len(p.Slots) - 1; last >= 0 && p.Slots[last].Node == node {
				p.Slots[last].Count += slot.count
			} else {
				p.Slots = append(p.Slots, Slot{node, slot.count})
			}
		}
		if last := len(p.Slots) - 1; last >= 0 && p.Slots[last].Node == "" {
			p.Slots = p.Slots[:last]
		}
		out = append(out, p)
	}
	return out
}
