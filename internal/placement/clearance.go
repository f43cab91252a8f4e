// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// clearance is room being made for a gang. It begins when others give way to it (Evict), and
// the next plan promises it the places. It ends when the gang runs, or is gone, or when the
// pods of those who gave way are: if it still waits then, since somebody else took the room,
// it has its right again.
type clearance struct {
	// heir is the key of the gang, and gave is how many gave way to it.
	heir string
	gave int
}

// exit is a node that a gang gave up, and for whom: its pods may still be there.
type exit struct {
	node *node
	to   *clearance
}

// clear room for a gang, which so many give.
func (p *Picture) clear(g *gang, gave int) *clearance {
	g.clearance = &clearance{g.Key, gave}
	p.clearances = append(p.clearances, g.clearance)
	return g.clearance
}

// leaveNode to another gang, once the gang's pods there have ended.
func (p *Picture) leaveNode(g *gang, n *node, to *clearance) {
	if len(g.exits) == 0 {
		p.leavers = append(p.leavers, g)
	}
	if e := (exit{n, to}); !slices.Contains(g.exits, e) {
		g.exits = append(g.exits, e)
	}
}

// takeExits over from the gang that this one was before: its pods end for the same heirs, be
// it that the gang asks for something else.
func (p *Picture) takeExits(g, old *gang) {
	for _, e := range old.exits {
		p.leaveNode(g, e.node, e.to)
	}
	old.exits = nil
}

// departing are the gangs that gave places back on which there still are pods of theirs, be
// the gangs deleted since or not.
func (p *Picture) departing() []*gang {
	p.leavers = slices.DeleteFunc(p.leavers, func(g *gang) bool {
		g.exits = slices.DeleteFunc(g.exits, func(e exit) bool {
			a := e.node.accounts[g.Key]
			return a == nil || a.count[bound] <= a.count[slots]
		})
		return len(g.exits) == 0
	})
	return p.leavers
}

// endClearances of gangs that run or are gone, and of those for whom nobody leaves any more.
func (p *Picture) endClearances() {
	awaited := map[string]bool{}
	for _, g := range p.departing() {
		for _, e := range g.exits {
			awaited[e.to.heir] = true
		}
	}
	p.clearances = slices.DeleteFunc(p.clearances, func(c *clearance) bool {
		g := p.gangs[c.heir]
		if g == nil || g.clearance != c {
			return true
		}
		if g.queued && !awaited[c.heir] {
			g.clearance = nil
		}
		return g.clearance == nil
	})
}
