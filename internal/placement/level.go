// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"slices"
)

// level divides the nodes by the value of a label.
type level struct {
	of    []int32 // domain by node.index; -1 without the label
	names []string
	facts uint64 // Picture.facts that it is right for
}

// domain is the part of a level with one value, or with level nil every node.
type domain struct {
	*level
	id int32
}

func (d domain) has(i int) bool { return d.level == nil || d.of[i] == d.id }

// maxLevels that are kept at a time, so that label keys that somebody made up
// cost no memory for ever.
const maxLevels = 16

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
			l.names = append(l.names, value)
		}
		l.of[i] = id
	}
	p.levels[key] = l
	return l
}

// room in each domain, in pods of the class.
func (l *level) room(c *class) []int64 {
	sums := make([]int64, len(l.names))
	for i, f := range c.bounds() {
		if id := l.of[i]; id >= 0 {
			sums[id] += int64(f.pods)
		}
	}
	return sums
}

// routes are the ways to try for so many pods of a set, best first. Each is a
// list of domains to fill one after the other.
func (t *trial) routes(k int, pods int32) [][]domain {
	s := &t.g.sets[k]
	everywhere := []domain{{}}
	topology := s.Topology
	if key, chooses := s.class.ties.chooses(); chooses && !topology.Required {
		topology = Topology{key, true}
	}
	if topology.Key == "" {
		return [][]domain{everywhere}
	}
	l := t.p.level(topology.Key)
	room := l.room(s.class)
	var largest []domain
	for id := range room {
		if room[id] > 0 {
			largest = append(largest, domain{l, int32(id)})
		}
	}
	byRoom := func(a, b domain) int { return cmp.Compare(room[a.id], room[b.id]) }
	var routes [][]domain
	if home, rooted := t.home(k, l); rooted {
		routes = [][]domain{{home}}
		largest = slices.Insert(largest, 0, home)
	} else {
		slices.SortStableFunc(largest, byRoom)
		for _, d := range largest {
			if room[d.id] >= int64(pods) {
				routes = append(routes, []domain{d})
			}
		}
		slices.SortStableFunc(largest, func(a, b domain) int { return byRoom(b, a) })
	}
	if !topology.Required {
		routes = append(routes, append(largest, everywhere...))
	}
	return routes
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
