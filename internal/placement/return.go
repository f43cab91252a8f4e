// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// elsewhere than on the nodes that pods of the gang have yet to leave, do something: what they
// take there is not taken twice by those that follow them, so that it would be back at once on
// places that it gave to another gang, and that one would ask for them again, and so on. One that is
// broken comes back to the places that it lost.
func (p *Picture) elsewhere(g *gang, do func() bool) bool {
	var leaving []*node
	for _, e := range g.exits {
		if p.overstays(g.Key, e.node) && !slices.Contains(leaving, e.node) {
			leaving = append(leaving, e.node)
		}
	}
	if len(leaving) == 0 || g.broken() {
		return do()
	}
	room := p.names.of(pods)
	shut := func(sign int64) {
		for _, n := range leaving {
			n.kept.add(room, sign*maxPods)
			p.touch(n)
		}
	}
	shut(1)
	defer shut(-1)
	return do()
}
