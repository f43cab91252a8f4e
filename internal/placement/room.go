// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// Who is to give way to a gang is found by trying where it would go without them. The very places that
// it had then are what it is promised: a plan that looks for others may find some where nobody gave way,
// since the promises to those after it are made anew around it, or since the pods of those who give way
// are given a minute to end and somebody else is to end before. It starts there all the same if it can
// at once; but what is kept for it until then is what others gave up for it.

// room are places for what a gang lacks.
type room []place

// lost says that a node of them is gone, or may be in another domain than it was.
func (r room) lost() bool {
	return slices.ContainsFunc(r, func(at place) bool { return !at.node.known || at.node.labels != at.labels })
}

// found by a trial, those included on which slots stay.
func (t *trial) found() room {
	found := room{}
	add := func(set int, n *node, pods int32) { found = append(found, place{set, n, pods, n.labels}) }
	for _, m := range t.moves {
		add(m.set, t.p.nodes[m.node], m.pods)
	}
	for _, back := range t.stays {
		add(back.set, t.p.byName[back.slot.node], back.slot.count)
	}
	return found
}

// takeRoom if it is free and all that the gang needs, or change nothing.
func (t *trial) takeRoom(r room) bool {
	if r.lost() || len(t.stays) > 0 {
		return false
	}
	need := slices.Clone(t.need)
	for _, at := range r {
		c := t.g.sets[at.set].class
		if c.sync(t.p); min(c.fits[at.node.index].pods, t.g.allowance(c, at.node)) < at.pods {
			t.undo(0)
			return false
		}
		t.p.book(t.g, at.set, at.node, at.pods)
		t.moves = append(t.moves, move{at.set, at.node.index, at.pods})
		need[at.set] -= at.pods
	}
	if slices.ContainsFunc(need, func(n int32) bool { return n != 0 }) {
		t.undo(0)
		return false
	}
	return true
}

// isAwaited says that it is known which room others gave up for the gang.
func (g *gang) isAwaited() bool { return g.clearance != nil && g.clearance.room != nil }
