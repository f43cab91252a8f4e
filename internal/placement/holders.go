// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// What others may have to wait for is known by heart: of many thousands of gangs most wait
// themselves, and whoever looks for places to be given up need not look at those.

// hold so many places more, or give them back.
func (p *Picture) hold(g *gang, pods int32) {
	had := g.holds > 0
	g.holds += pods
	switch has := g.holds > 0; {
	case has && !had:
		g.holder = len(p.holders)
		p.holders = append(p.holders, g)
	case had && !has:
		last := len(p.holders) - 1
		p.holders[g.holder] = p.holders[last]
		p.holders[g.holder].holder = g.holder
		p.holders[last] = nil
		p.holders = p.holders[:last]
	}
}

// leave a node to others, once the gang's pods there have ended.
func (p *Picture) leaveNode(g *gang, n *node) {
	if len(g.leaving) == 0 {
		p.lingering = append(p.lingering, g)
	}
	g.leaving = append(g.leaving, n)
}

// linger where the gang was that this one was before: its pods end for the same heir, be it
// that the gang asks for something else.
func (p *Picture) linger(g, old *gang) {
	g.heir = old.heir
	for _, n := range old.leaving {
		p.leaveNode(g, n)
	}
	old.leaving = nil
}

// departing are the gangs that gave places back on which there still are pods of theirs, be
// the gangs deleted since or not.
func (p *Picture) departing() []*gang {
	p.lingering = slices.DeleteFunc(p.lingering, func(g *gang) bool {
		p.clear(g)
		return len(g.leaving) == 0
	})
	return p.lingering
}

// disinherit the gangs that others gave way to, once their pods are gone: those that
// still wait, since somebody else took the room, have their right again.
func (p *Picture) disinherit() {
	awaited := map[string]bool{}
	for _, g := range p.departing() {
		awaited[g.heir] = true
	}
	p.heirs = slices.DeleteFunc(p.heirs, func(g *gang) bool {
		if g.queued && !awaited[g.Key] {
			g.victims = 0
		}
		return g.victims == 0 || p.gangs[g.Key] != g
	})
}
