// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"slices"
)

// chunk of a slice: consecutive ranks that want places in one domain, the home of those
// of the slice that have one, if any.
type chunk struct {
	slice int32 // number of it
	pods  int32
	// all pods of the slice that want a place, those of other chunks included.
	all    int32
	home   domain
	rooted bool
}

// parcel is what of a domain is within one domain for slices, and its room.
type parcel struct {
	of, in int32
	pods   int64
}

// wholly is how many of so many pods make up whole slices.
func (t Topology) wholly(pods int64) int64 { return pods / int64(t.Slice) * int64(t.Slice) }

// parts of the domains of a level within an area, with their room.
func (t *trial) parts(k int, l *level, in area) []parcel {
	s := &t.g.sets[k]
	slice := t.p.level(s.Topology.SliceLabel)
	found := map[[2]int32]int64{}
	for i := range in.indices(t.p) {
		if of, in := l.of[i], slice.of[i]; of >= 0 && in >= 0 {
			found[[2]int32{of, in}] += int64(s.class.fits[i].pods)
		}
	}
	parts := make([]parcel, 0, len(found))
	for at, pods := range found {
		parts = append(parts, parcel{at[0], at[1], pods})
	}
	slices.SortFunc(parts, func(a, b parcel) int { return cmp.Or(cmp.Compare(a.of, b.of), cmp.Compare(a.in, b.in)) })
	return parts
}

// takeSlices places pods of a set slice by slice, in the order in which commit gives
// places to ranks, and returns how many.
func (t *trial) takeSlices(k int, r route) int32 {
	slice := t.p.level(t.g.sets[k].Topology.SliceLabel)
	todo, taken, homes := t.chunks(k, slice), int32(0), map[int32]domain{}
	for _, in := range r {
		for len(todo) > 0 {
			t.g.sets[k].class.sync(t.p)
			where, count := todo[0].home, 1
			if home, begun := homes[todo[0].slice]; begun {
				where = home
			} else if !todo[0].rooted {
				if where, count = t.roomFor(k, todo, homes, slice, in); count == 0 {
					break
				}
			}
			pods, mark := int32(0), len(t.moves)
			for _, c := range todo[:count] {
				pods += c.pods
			}
			if t.takeIn(k, in.within(where), pods) < pods {
				t.undo(mark)
				break
			}
			for _, c := range todo[:count] {
				homes[c.slice] = where
			}
			todo, taken = todo[count:], taken+pods
		}
	}
	return taken
}

// roomFor the next chunks in one domain for slices: the tightest one that holds all
// without a home that follow one another, or else the one that holds most. It returns
// how many of them it holds.
func (t *trial) roomFor(k int, todo []chunk, begun map[int32]domain, slice *level, in area) (best domain, count int) {
	room := make([]int64, len(slice.names))
	for i := range in.indices(t.p) {
		if id := slice.of[i]; id >= 0 {
			room[id] += int64(t.g.sets[k].class.fits[i].pods)
		}
	}
	for id, pods := range room {
		holds, left := 0, pods
		for _, c := range todo {
			if _, is := begun[c.slice]; is || c.rooted || int64(c.all) > left {
				break
			}
			holds, left = holds+1, left-int64(c.all)
			if c.all > c.pods {
				break // the rest of the slice comes later, and here
			}
		}
		if holds > count || holds > 0 && holds == count && pods < room[best.id] {
			best, count = domain{slice, int32(id)}, holds
		}
	}
	return best, count
}

// chunks of what is needed of a set, in the order in which commit gives places to
// ranks: those lost first.
func (t *trial) chunks(k int, slice *level) []chunk {
	s, size := &t.g.sets[k], t.g.sets[k].Topology.Slice
	homes := map[int32]domain{}
	for from, r := range s.runs() {
		if n := t.p.byName[r.node]; r.held && n != nil && n.known && slice.of[n.index] >= 0 {
			for i := from / size; i <= (from+r.count-1)/size; i++ {
				homes[i] = domain{slice, slice.of[n.index]}
			}
		}
	}
	var todo []chunk
	need, all := t.need[k], map[int32]int32{}
	for _, kind := range []func(slot) bool{slot.lost, slot.fresh} {
		for from, r := range s.runs() {
			for end := from + r.count; kind(r) && from < end && need > 0; {
				c := chunk{slice: from / size, pods: min(size-from%size, end-from, need)}
				c.home, c.rooted = homes[c.slice], homes[c.slice].level != nil
				if last := len(todo) - 1; last >= 0 && todo[last].slice == c.slice {
					todo[last].pods += c.pods
				} else {
					todo = append(todo, c)
				}
				all[c.slice] += c.pods
				from, need = from+c.pods, need-c.pods
			}
		}
	}
	for i := range todo {
		todo[i].all = all[todo[i].slice]
	}
	return todo
}

// runs of a set's ranks, with the first rank of each.
func (s *set) runs() func(yield func(int32, slot) bool) {
	return func(yield func(int32, slot) bool) {
		rank := int32(0)
		for _, r := range s.slots {
			if r.count > 0 && !yield(rank, r) {
				return
			}
			rank += r.count
		}
	}
}
