// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

// Takes says that a node would take one more pod of the set now.
func (p *Picture) Takes(s PodSet, node string) bool {
	n := p.byName[node]
	if n == nil || !n.known {
		return false
	}
	g := p.build(Gang{Sets: []PodSet{s}})
	defer p.dismiss(g)
	c := g.sets[0].class
	c.sync(p)
	return c.fits[n.index].pods > 0
}

// dismiss a gang that was only thought of.
func (p *Picture) dismiss(g *gang) {
	p.release(g)
	p.leave(g)
	p.retieIfNeeded()
}
