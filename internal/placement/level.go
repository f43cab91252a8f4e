// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"iter"
	"slices"
)

// level divides the nodes by the value of a label.
type level struct {
	of    []int32   // domain by node.index; -1 without the label
	nodes [][]int32 // by domain, in order
	names []string
	facts uint64 // Picture.facts that it is right for
}

// domain is the part of a level with one value.
type domain struct {
	*level
	id int32
}

// area is the nodes that are in all of some domains; without any it is every node.
type area []domain

func (a area) has(i int) bool {
	return !slices.ContainsFunc(a, func(d domain) bool { return d.of[i] != d.id })
}

// within the area, a domain.
func (a area) within(d domain) area { return append(slices.Clone(a), d) }

// indices of its nodes, in order.
func (a area) indices(p *Picture) iter.Seq[int] {
	return func(yield func(int) bool) {
		if len(a) == 0 {
			for i := range p.nodes {
				if !yield(i) {
					return
				}
			}
			return
		}
		last := a[len(a)-1]
		for _, i := range last.nodes[last.id] {
			if a[:len(a)-1].has(int(i)) && !yield(int(i)) {
				return
			}
		}
	}
}

// maxLevels that are kept at a time, so that label keys that somebody made up
// cost no memory for ever.
const maxLevels = 32

// level of a label key. Domains are numbered in the order of the names of nodes.
func (p *Picture) level(key string) *level {
	if l := p.levels[key]; l != nil && l.facts == p.facts {
		return l
	}
	if len(p.levels) >= maxLevels {
		clear(p.levels)
	}
	l := &level{of: make([]int32, len(p.nodes)), facts: p.facts}
	ids := map[string]int32{}
	for i, n := range p.nodes {
		value, ok := n.Labels[key]
		if !ok {
			l.of[i] = -1
			continue
		}
		id, ok := ids[value]
		if !ok {
			id = int32(len(l.names))
			ids[value] = id
			l.names, l.nodes = append(l.names, value), append(l.nodes, nil)
		}
		l.of[i] = id
		l.nodes[id] = append(l.nodes[id], int32(i))
	}
	p.levels[key] = l
	return l
}

// above a level are those of the labels that divide clusters whose domains hold its
// domains whole, the next one first. Nobody needs to say in which order labels nest.
func (p *Picture) above(l *level) []*level {
	var above []*level
	for _, key := range p.Levels {
		if o := p.level(key); len(o.names) < len(l.names) && o.holds(l) {
			above = append(above, o)
		}
	}
	slices.SortStableFunc(above, func(a, b *level) int { return cmp.Compare(len(b.names), len(a.names)) })
	return above
}

// holds says that each domain of a level is within one of this one.
func (l *level) holds(o *level) bool {
	return !slices.ContainsFunc(o.nodes, func(nodes []int32) bool {
		in := l.of[nodes[0]]
		return in < 0 || slices.ContainsFunc(nodes, func(i int32) bool { return l.of[i] != in })
	})
}

// home is the domain in which a set has slots already.
func (t *trial) home(k int, l *level) (domain, bool) {
	for _, s := range t.g.sets[k].slots {
		if !s.held {
			continue
		}
		if n := t.p.byName[s.node]; n != nil && n.known && l.of[n.index] >= 0 {
			return domain{l, l.of[n.index]}, true
		}
	}
	return domain{}, false
}
