// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"maps"
	"slices"
)

// review the nodes on which something changed since the last decision. Other
// schedulers do not know what gangs reserve and may give a node more than it
// holds; its kubelet then refuses whichever pod comes last, as often as it
// comes. So ranks without a pod there lose their places: they get them back, in
// turn, as far as there is room. This waits for the decision because pods may be
// told of in any order, those that begin before those that make room for them.
func (p *Picture) review() {
	for _, name := range sortedKeys(p.unsure) {
		if n := p.byName[name]; n != nil && n.known {
			p.thin(n)
		}
	}
	clear(p.unsure)
}

// doubt asks for a review of a node.
func (p *Picture) doubt(n *node) {
	if len(n.accounts) > 0 {
		p.unsure[n.Name] = true
	}
}

// thin out a node that is crowded. What is taken is looked at once for all gangs,
// so that it does not matter whose ranks go first.
func (p *Picture) thin(n *node) {
	var keys []string
	crowded := map[*class]bool{}
	for _, key := range slices.Sorted(maps.Keys(n.accounts)) {
		if n.accounts[key].count[slots] == 0 {
			continue
		}
		keys = append(keys, key)
		for _, s := range p.gangs[key].sets {
			crowded[s.class] = n.crowded(s.class)
		}
	}
	freed := false
	for _, key := range keys {
		g, seated := p.gangs[key], n.accounts[key].seated
		freed = p.lose(g, n, func(k int, rank int32) bool {
			return crowded[g.sets[k].class] && len(seated[seat{g.sets[k].Name, rank}]) == 0
		}) || freed
	}
	if freed {
		p.relieve(n)
	}
}
