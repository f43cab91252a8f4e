// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"slices"
)

// maxFailures bounds the search for a gang whose sets compete for the same nodes.
const maxFailures = 64

// trial books places for the slots of a gang and takes them back if not all of
// them find one.
type trial struct {
	p *Picture
	g *gang
	// need is how many pods of each set still want a place when the trial begins.
	need  []int32
	moves []move
	stays []stay
	// failures are the ways that led nowhere.
	failures int
}

// move books pods of a set on a node.
type move struct {
	set, node int
	pods      int32
}

// stay is a slot that got its room back on the node that it had lost.
type stay struct {
	set  int
	slot *slot
}

// fill finds places for so many pods of each set, or changes nothing. Those that
// were lost get them before those that never had one, the first ranks first.
func (p *Picture) fill(g *gang, need []int32) bool {
	t := p.seek(g, need)
	if t != nil {
		t.commit()
	}
	return t != nil
}

// seek places that are yet to be given to the gang; nil for nowhere.
func (p *Picture) seek(g *gang, need []int32) *trial {
	t := p.trial(g, need)
	if _, over := t.overLimit(); over || !t.place(t.sequence()) && !t.asPromised() {
		t.cancel()
		return nil
	}
	return t
}

// asPromised takes the very places that the gang was promised, if they are free and all that it
// needs: to look for places for several sets is to give up some time.
func (t *trial) asPromised() bool { return t.g.promise != nil && t.takeRoom(t.g.promise.places) }

func (p *Picture) trial(g *gang, need []int32) *trial {
	t := &trial{p: p, g: g, need: slices.Clone(need)}
	for k := range g.sets {
		rank := int32(0)
		for j := range g.sets[k].slots {
			s := &g.sets[k].slots[j]
			if s.lost() && need[k] > 0 && t.together(k, rank, s) && t.stay(k, s) {
				t.need[k] = max(t.need[k]-s.count, 0)
			}
			rank += s.count
		}
	}
	return t
}

// together with the others of its set, as its topology wants them, would a slot be that
// begins with a rank and stays where it was.
func (t *trial) together(k int, rank int32, s *slot) bool {
	topology, n := &t.g.sets[k].Topology, t.p.byName[s.node]
	if n == nil || !n.known {
		return false
	}
	if topology.Required != "" {
		l := t.p.level(topology.Required)
		if home, rooted := t.home(k, l); l.of[n.index] < 0 || rooted && l.of[n.index] != home.id {
			return false
		}
	}
	if topology.Slice == 0 {
		return true
	}
	l, size := t.p.level(topology.SliceLabel), topology.Slice
	for from, r := range t.g.sets[k].runs() {
		o := t.p.byName[r.node]
		same := from/size <= (rank+s.count-1)/size && (from+r.count-1)/size >= rank/size
		if same && r.held && o != nil && o.known && l.of[o.index] != l.of[n.index] {
			return false
		}
	}
	return l.of[n.index] >= 0
}

// stay lets a slot stay where it was, if that node came back and nobody else took
// its room. The pod may still be there, so what it asks for does not count.
func (t *trial) stay(k int, s *slot) bool {
	n, c := t.p.byName[s.node], t.g.sets[k].class
	if n == nil || !n.known || !c.admits(n) {
		return false
	}
	if !t.p.roomy(t.g, k, n, s.count) || t.g.allowance(c, n) < s.count {
		return false
	}
	only := make([]int32, len(t.need))
	only[k] = s.count
	if _, over := t.g.breaks(only, current); over {
		return false
	}
	t.p.book(t.g, k, n, s.count)
	s.held = true
	t.stays = append(t.stays, stay{k, s})
	return true
}

// roomy says that a node has room for so many pods of a set, not counting what
// their predecessors there ask for.
func (p *Picture) roomy(g *gang, k int, n *node, pods int32) bool {
	c := g.sets[k].class
	if !c.countable(pods) {
		return false
	}
	wears := g.sets[k].signs
	if c.ties != nil {
		c.sync(p)
		defer c.ties.recount(n) // as it was
	}
	n.book(g.Key, slots, c.requests, wears, int64(pods))
	defer n.book(g.Key, slots, c.requests, wears, -int64(pods))
	c.ties.recount(n)
	return !n.crowded(c) && c.ties.suits(n, pods)
}

// sequence of the sets that need places: those bound to one domain first, then
// those with the least choice.
func (t *trial) sequence() []int {
	var sets []int
	for k, need := range t.need {
		if need > 0 {
			t.g.sets[k].class.sync(t.p)
			sets = append(sets, k)
		}
	}
	after := t.follows()
	slices.SortStableFunc(sets, func(a, b int) int {
		x, y := &t.g.sets[a], &t.g.sets[b]
		if after[a] != after[b] {
			return cmp.Compare(after[a], after[b])
		}
		if bound := x.Topology.Required != ""; bound != (y.Topology.Required != "") {
			return map[bool]int{true: -1, false: 1}[bound]
		}
		return cmp.Compare(x.class.total*int64(t.need[b]), y.class.total*int64(t.need[a]))
	})
	return sets
}

// place the sets one after the other, trying other ways for the earlier ones
// where a later one gets stuck.
func (t *trial) place(sets []int) bool {
	if len(sets) == 0 {
		return true
	}
	k, mark := sets[0], len(t.moves)
	t.g.sets[k].class.sync(t.p)
	for route := range t.routes(k, t.need[k]) {
		if t.pack(k, route) && t.place(sets[1:]) {
			return true
		}
		t.undo(mark)
		if t.failures++; t.failures >= maxFailures {
			return false
		}
	}
	return false
}

// pack a set into areas, in their order.
func (t *trial) pack(k int, r route) bool {
	c, need := t.g.sets[k].class, t.need[k]
	c.sync(t.p)
	return c.most() >= int64(need) && t.take(k, r) == need
}

// takeSome of the places that a set needs, as many as there are.
func (t *trial) takeSome(k int) {
	var last route
	for last = range t.routes(k, 1) {
	}
	t.take(k, last)
}

// take places for a set in areas, in their order, and return how many.
func (t *trial) take(k int, r route) int32 {
	if t.g.sets[k].Topology.Slice > 0 {
		return t.takeSlices(k, r)
	}
	taken := int32(0)
	for _, in := range r {
		taken += t.takeIn(k, in, t.need[k]-taken)
	}
	return taken
}

// takeIn an area as many places as there are, and at most so many.
func (t *trial) takeIn(k int, in area, pods int32) int32 {
	s, need := &t.g.sets[k], pods
	var shut kindSet
	for need > 0 {
		i, most := s.class.best(t.p, in, need, shut), need
		if s.Spread {
			i, most = s.class.emptiest(t.p, in, shut), 1
		}
		if i < 0 {
			break
		}
		if s.class.ties.repels() {
			most = 1
		}
		n := min(most, s.class.fits[i].pods, t.g.allowance(s.class, t.p.nodes[i]))
		if n == 0 {
			shut = shut.with(t.p.nodes[i].kind)
			continue
		}
		t.p.book(t.g, k, t.p.nodes[i], n)
		t.moves = append(t.moves, move{k, i, n})
		need -= n
	}
	return pods - need
}

func (t *trial) undo(mark int) {
	for _, m := range slices.Backward(t.moves[mark:]) {
		t.p.book(t.g, m.set, t.p.nodes[m.node], -m.pods)
	}
	t.moves = t.moves[:mark]
}

// cancel the trial as if it had never been.
func (t *trial) cancel() {
	t.undo(0)
	for _, s := range t.stays {
		t.p.book(t.g, s.set, t.p.byName[s.slot.node], -s.slot.count)
		s.slot.held = false
	}
}

// commit gives the places found to slots that have none.
func (t *trial) commit() {
	t.p.events++
	t.fillSlots()
	t.g.moved = true
	t.p.changes++
	t.p.welcome(t)
}

// fillSlots that have no place with those found.
func (t *trial) fillSlots() {
	for k := range t.g.sets {
		var found []slot
		for _, m := range t.moves {
			if m.set == k {
				found = append(found, slot{t.p.nodes[m.node].Name, m.pods, true})
			}
		}
		if len(found) > 0 {
			slots, left := refill(t.g.sets[k].slots, slot.lost, found)
			t.g.sets[k].slots, _ = refill(slots, slot.fresh, left)
		}
	}
}

// refill puts runs of places where slots of the kind were, and returns those left.
func refill(old []slot, kind func(slot) bool, found []slot) (out, left []slot) {
	for _, s := range old {
		for kind(s) && s.count > 0 && len(found) > 0 {
			n := min(s.count, found[0].count)
			out = appendRun(out, slot{found[0].node, n, true})
			s.count -= n
			if found[0].count -= n; found[0].count == 0 {
				found = found[1:]
			}
		}
		if s.count > 0 {
			out = appendRun(out, s)
		}
	}
	return out, found
}

// appendRun makes one run of two that follow one another on a node.
func appendRun(runs []slot, s slot) []slot {
	if last := len(runs) - 1; last >= 0 && runs[last].node == s.node && runs[last].held == s.held {
		runs[last].count += s.count
		return runs
	}
	return append(runs, s)
}

// book pods of a set, or takes them back when there are fewer than none. A class
// that was up to date stays so.
func (p *Picture) book(g *gang, k int, n *node, pods int32) {
	c := g.sets[k].class
	current := c.version == p.version && c.members == p.members && c.fits != nil
	n.book(g.Key, slots, c.requests, g.sets[k].signs, int64(pods))
	p.charge(g, n, c.requests, int64(pods))
	p.hold(g, pods)
	if p.touch(n); current && n.known {
		c.refit(p, n.index)
		c.sift()
		c.version = p.version
	}
}
