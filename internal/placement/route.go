// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"iter"
	"slices"
)

// route is a way to place pods of a set: areas to fill one after the other.
type route []area

// routes are the ways to try for so many pods of a set, best first: with a required
// label the tightest domain that holds them all, and within it, or without one, the
// tightest domain of the preferred label. Where none of these holds them all, as many
// as needed within the tightest domain of the next level above, and so on.
func (t *trial) routes(k int, pods int32) iter.Seq[route] {
	return func(yield func(route) bool) {
		for _, outer := range t.outer(k, pods) {
			if !t.inner(k, pods, outer, yield) {
				return
			}
		}
	}
}

// outer areas, in one of which all pods of a set must be.
func (t *trial) outer(k int, pods int32) []area {
	key := t.g.sets[k].Topology.Required
	if key == "" {
		key = t.g.sets[k].class.ties.chooses()
	}
	if key == "" {
		return []area{nil}
	}
	l := t.p.level(key)
	if home, rooted := t.home(k, l); rooted {
		return []area{{home}}
	}
	var areas []area
	for _, d := range tightest(l, t.room(k, l, nil), pods) {
		areas = append(areas, area{d})
	}
	return areas
}

// inner ways within an area. It returns false when no more are wanted.
func (t *trial) inner(k int, pods int32, outer area, yield func(route) bool) bool {
	key := t.g.sets[k].Topology.Preferred
	if key == "" {
		return yield(route{outer})
	}
	l := t.p.level(key)
	room := t.room(k, l, outer)
	if home, rooted := t.home(k, l); rooted {
		return yield(route{outer.within(home)}) &&
			yield(append(route{outer.within(home)}, largest(l, room, outer)...))
	}
	for _, d := range tightest(l, room, pods) {
		if !yield(route{outer.within(d)}) {
			return false
		}
	}
	for _, above := range t.p.above(l) {
		for _, d := range tightest(above, t.room(k, above, outer), pods) {
			in := outer.within(d)
			if !yield(largest(l, t.room(k, l, in), in)) {
				return false
			}
		}
	}
	return yield(largest(l, room, outer))
}

// tightest domains of a level that hold so many pods, those with the least to spare
// first.
func tightest(l *level, room []int64, pods int32) []domain {
	var list []domain
	for id := range room {
		if room[id] > 0 && room[id] >= int64(pods) {
			list = append(list, domain{l, int32(id)})
		}
	}
	slices.SortStableFunc(list, func(a, b domain) int { return cmp.Compare(room[a.id], room[b.id]) })
	return list
}

// largest domains of a level first, within an area, and then what else there is of it.
func largest(l *level, room []int64, in area) route {
	list := tightest(l, room, 0)
	slices.SortStableFunc(list, func(a, b domain) int { return cmp.Compare(room[b.id], room[a.id]) })
	var r route
	for _, d := range list {
		r = append(r, in.within(d))
	}
	return append(r, in)
}

// room for pods of a set in each domain of a level within an area, in whole slices
// where it asks for some.
func (t *trial) room(k int, l *level, in area) []int64 {
	s := &t.g.sets[k]
	sums := make([]int64, len(l.names))
	if s.Topology.Slice > 0 {
		for _, part := range t.parts(k, l, in) {
			sums[part.of] += s.Topology.wholly(part.pods)
		}
		return sums
	}
	bounds := s.class.bounds()
	for i := range in.indices(t.p) {
		if id := l.of[i]; id >= 0 {
			sums[id] += int64(bounds[i].pods)
		}
	}
	return sums
}
