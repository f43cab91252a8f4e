// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// grow those of the gangs that run with less than all their pods. They take turns as
// in every contest, after all others had their chance to start, and in a round none
// takes more than it has, so that what is left is shared and not taken by the first.
func (p *Picture) grow(gangs []*gang) {
	var growing []*gang
	can := map[*gang]bool{}
	for _, g := range gangs {
		if g.any(slot.missing) && g.runs() {
			growing, can[g] = append(growing, g), true
		}
	}
	slices.SortFunc(growing, func(a, b *gang) int { return a.turn.compare(b.turn) })
	for len(can) > 0 {
		contest := p.contestOf(growing, func(g *gang) bool { return can[g] })
		for g := contest.next(); g != nil; g = contest.next() {
			grew := p.respecting(g, func() bool { return p.elsewhere(g, func() bool { return p.growOne(g) }) })
			if !grew {
				g.triedAt = p.freed + 1
			}
			if !grew || !g.any(slot.missing) {
				delete(can, g)
			}
		}
	}
}

// growOne gang by some of what it can do without, and by all at once of what it asks
// for as a whole. It returns whether it came to anything.
func (p *Picture) growOne(g *gang) bool {
	if _, missing := g.queue.missing(); missing {
		return false
	}
	whole := g.missing()
	for k := range g.sets {
		if g.sets[k].Optional > 0 {
			whole[k] = 0
		}
	}
	grew := some(whole) && p.fill(g, whole)
	for k := range g.sets {
		if s := &g.sets[k]; s.Optional > 0 && s.count(slot.missing) > 0 {
			grew = p.gather(g, k, max(s.count(slot.isHeld), 1)) || grew
		}
	}
	return grew
}

// gather places for pods of a set, as many as there are and at most so many.
func (p *Picture) gather(g *gang, k int, most int32) bool {
	need := make([]int32, len(g.sets))
	need[k] = g.within(k, min(most, g.sets[k].count(slot.missing)))
	t := p.trial(g, need)
	if t.need[k] > 0 {
		g.sets[k].class.sync(p)
		t.takeSome(k)
	}
	if len(t.moves)+len(t.stays) == 0 {
		return false
	}
	t.commit()
	return true
}
