// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"maps"
	"slices"

	"slipway.dev/slipway/internal/placement"
)

// Who gives way and has no pods yet frees its places at once, so that one decision takes them from
// one gang and gives them to another. Were the second told before the first, both would have them
// for a moment and make their pods, and if the scheduler died in that moment both would keep them.
// So a place is written, or a pod bound to it, only when the status of the one before no longer has it.

// vacating is who has yet to leave places, and who waits for that.
type vacating struct {
	// nodes with places that the status of a gang has and that are its own no more, by its key.
	nodes map[string]map[string]bool
	// behind are the keys of those that wait to be told of places there.
	behind map[string]bool
}

func newVacating() vacating {
	return vacating{map[string]map[string]bool{}, map[string]bool{}}
}

// vacate takes note of the nodes on which the status of a gang has more places than its answer; of none
// where the gang is gone, with its status. With the last of them it lets go who waited for them.
func (l *ledger) vacate(key string) {
	var nodes map[string]bool
	if e := l.gangs[key]; e != nil && e.answer != nil && len(e.status.Placement) > 0 {
		nodes = e.vacates()
	}
	switch {
	case len(nodes) > 0:
		l.vacating.nodes[key] = nodes
	case l.vacating.nodes[key] != nil:
		delete(l.vacating.nodes, key)
		l.retryBehind()
	}
}

// retryBehind tells all that were behind somebody anew, or finds that they still are.
func (l *ledger) retryBehind() {
	for _, key := range slices.Sorted(maps.Keys(l.behind)) {
		if c := l.crews[key]; c != nil && l.groups[key] != nil {
			l.ripen(c)
		} else {
			l.unwritten = append(l.unwritten, key)
		}
	}
	clear(l.behind)
}

// vacates the nodes of which the status has more places than the answer.
func (e *entry) vacates() map[string]bool {
	if samePlaces(e.answer.verdict.Placement, e.status.Placement) {
		return nil
	}
	written := map[string]int32{}
	for _, set := range e.status.Placement {
		for _, slot := range set.Slots {
			written[slot.Node] += slot.Count
		}
	}
	for _, set := range e.answer.verdict.Placement {
		for _, slot := range set.Slots {
			written[slot.Node] -= slot.Count
		}
	}
	nodes := map[string]bool{}
	for node, more := range written {
		if node != "" && more > 0 {
			nodes[node] = true
		}
	}
	return nodes
}

// isBehind says that a gang is to have a place on a node that another one has yet to leave, in its
// status, and notes who is. One that leaves places itself waits for nobody, so that no two wait for
// each other.
func (l *ledger) isBehind(key string, places []placement.SetPlacement) bool {
	if len(l.vacating.nodes) == 0 || l.vacating.nodes[key] != nil {
		return false
	}
	for _, nodes := range l.vacating.nodes {
		for _, set := range places {
			if slices.ContainsFunc(set.Slots, func(s placement.Slot) bool { return nodes[s.Node] }) {
				l.behind[key] = true
				return true
			}
		}
	}
	return false
}
