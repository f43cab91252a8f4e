// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

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

// held are the nodes on which a gang holds places, some of them more than once.
func (p *Picture) held(g *gang) []*node {
	var nodes []*node
	for _, set := range g.sets {
		for _, s := range set.slots {
			if s.held {
				nodes = append(nodes, p.byName[s.node])
			}
		}
	}
	return nodes
}
