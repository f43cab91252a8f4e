// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"slices"
	"strings"

	"slipway.dev/slipway/internal/placement"
)

// Break is a time in which a job that ran did not, or the moment at which it lost some of
// its places.
type Break struct {
	// At is when it stopped, Again when it went on: the same moment if it did at once, -1
	// if it never did.
	At, Again int64
	// Why it stopped, nil when nobody says: the code is Evicted when it gave way.
	Why *placement.Reason
}

// note what a verdict that is about to be taken breaks off, or lets go on.
func (r *run) note(v placement.Verdict, now int64) {
	breaks, placed := r.outcome.Breaks, v.State == placement.Placed
	if last := len(breaks) - 1; !r.running {
		if placed && last >= 0 {
			breaks[last].Again = now
		}
		return
	}
	b := Break{At: now, Again: never, Why: v.Reason}
	if placed {
		lost := left(r.placement, v.Placement)
		if len(lost) == 0 {
			return
		}
		if b.Again = now; !evicted(v) {
			b.Why = &placement.Reason{Code: placement.NodeLost, Text: "lost " + strings.Join(lost, ", ")}
		}
	}
	r.outcome.Breaks = append(breaks, b)
}

// left are the nodes where there are fewer places, or others, than there were.
func left(before, after []placement.SetPlacement) []string {
	has := map[place]bool{}
	for _, at := range places(after) {
		has[at] = true
	}
	var nodes []string
	for _, at := range places(before) {
		if !has[at] {
			nodes = append(nodes, at.node)
		}
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}
