// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"maps"
	"slices"
	"sort"
)

// leaver is a gang, or a part of it, that is supposed to leave its places.
type leaver struct {
	gang *gang
	part part
	// keep so many pods of the surplus of each set.
	keep int32
	// pledge is the promise whose places it leaves.
	pledge *promise
	// loss by it; see Picture.loss. There is none of what is idle, or surplus.
	loss int64
	// ground on which it leaves, where that is not a right to its places (right.go, elder.go):
	// ByIdleness, ByMove if there must be other places for it, or ByRecall by who lent them.
	ground Cause
}

// part of what a gang takes.
type part int

const (
	// everything that it holds, and its pods.
	everything part = iota
	// surplus is what it can do without, the last ranks of each set.
	surplus
	// remains are pods on places that it gave back.
	remains
	// pledged are the places of a promise, which are kept until the gang has ended.
	pledged
)

// absence supposes that the first so many of a list of leavers have left.
type absence struct {
	p    *Picture
	list []leaver
	left []departure
}

// absence of those who end, none of them gone yet.
func (p *Picture) absence(endings []ending) *absence {
	a := &absence{p: p}
	for _, e := range endings {
		a.list = append(a.list, e.leaver)
	}
	return a
}

// departure is what is needed to undo one.
type departure struct {
	gang *gang
	// charged says that the gang's queue was relieved of what it holds.
	charged bool
	// slots of its sets as they were, or nil if they did not change.
	slots    [][]slot
	shed     []int32
	accounts []departed
	pledge   *promise
}

// departed is the account of a gang on a node, as it was.
type departed struct {
	node    *node
	account *account
}

// first of the list, so many, are gone.
func (a *absence) first(count int) {
	for len(a.left) < count {
		a.left = append(a.left, a.p.depart(a.list[len(a.left)]))
	}
	for len(a.left) > count {
		last := len(a.left) - 1
		a.p.comeBack(a.left[last])
		a.left = a.left[:last]
	}
}

// fewest that must be gone for something to be possible, which is so with every more
// that are. They are gone then; false is for not even all, or where that does not hold.
func (a *absence) fewest(possible func() bool) (int, bool) {
	// Most that is possible at all is possible once all are gone.
	if a.first(len(a.list)); !possible() {
		return 0, false
	}
	count := sort.Search(len(a.list), func(k int) bool {
		a.first(k)
		return possible()
	})
	a.first(count)
	return count, possible()
}

// soonest is the same where few are mostly enough, and for what more room never hurts: those
// who leave late are left alone.
func (a *absence) soonest(possible func() bool) (int, bool) {
	tooFew := 0
	for count := 0; count < len(a.list)/8; count = 2*count + 1 {
		if a.first(count); possible() {
			count = tooFew + sort.Search(count-tooFew, func(k int) bool {
				a.first(tooFew + k)
				return possible()
			})
			a.first(count)
			return count, possible()
		}
		tooFew = count + 1
	}
	return a.fewest(possible)
}

// steady says that the gang fits with more room if it does with less: so it is where
// neither other pods nor other sets of its own matter.
func (g *gang) steady() bool { return len(g.sets) == 1 && g.sets[0].class.ties == nil }

func (p *Picture) depart(l leaver) departure {
	g := l.gang
	switch l.part {
	case surplus:
		return p.departSurplus(g, l.keep)
	case pledged:
		p.keepPlaces(l.pledge, -1)
		return departure{gang: g, pledge: l.pledge}
	case remains:
		d := departure{gang: g}
		for _, e := range g.exits {
			p.swap(&d, e.node, e.node.accounts[g.Key].without(bound))
		}
		return d
	}
	d := departure{gang: g, charged: true}
	p.recharge(g, nil, -1)
	for _, e := range g.exits {
		p.swap(&d, e.node, nil)
	}
	for k := range g.sets {
		for _, s := range g.sets[k].slots {
			if s.held {
				p.swap(&d, p.byName[s.node], nil) // which is nothing on a node that it has left
			}
		}
	}
	return d
}

// departSurplus also takes the slots, so that the rest may leave afterwards.
func (p *Picture) departSurplus(g *gang, keep int32) departure {
	d := departure{gang: g, shed: g.spare(keep)}
	for k := range g.sets {
		s := &g.sets[k]
		d.slots = append(d.slots, s.slots)
		left, shed := s.shed(d.shed[k])
		for _, r := range shed {
			n := p.byName[r.node]
			p.charge(g, n, s.class.requests, -int64(r.pods))
			p.swap(&d, n, n.accounts[g.Key].less(s, r))
		}
		s.slots = left
	}
	return d
}

func (p *Picture) comeBack(d departure) {
	g := d.gang
	if g == nil {
		return // it came back before
	}
	if d.pledge != nil {
		p.keepPlaces(d.pledge, 1)
	}
	for i := len(d.accounts) - 1; i >= 0; i-- {
		at := &d.accounts[i]
		at.node.swap(g.Key, at.node.accounts[g.Key], at.account)
		p.touch(at.node)
	}
	if d.slots != nil {
		for k := range g.sets {
			s := &g.sets[k]
			s.slots = d.slots[k]
			_, shed := s.shed(d.shed[k])
			for _, r := range shed {
				p.charge(g, p.byName[r.node], s.class.requests, int64(r.pods))
			}
		}
	}
	if d.charged {
		p.recharge(g, nil, 1)
	}
}

// swap the account of the gang on a node, and remember what it was.
func (p *Picture) swap(d *departure, n *node, next *account) {
	if old := n.accounts[d.gang.Key]; old != nil {
		d.accounts = append(d.accounts, departed{n, old})
		n.swap(d.gang.Key, old, next)
		p.touch(n)
	}
}

func (n *node) swap(gang string, old, next *account) {
	n.weigh(old, -1)
	n.weigh(next, 1)
	if next == nil || next.count == [2]int64{} {
		delete(n.accounts, gang)
		return
	}
	n.accounts[gang] = next
}

// weigh adds an account to what is taken of the node, or takes it away.
func (n *node) weigh(a *account, sign int64) {
	if a == nil {
		return
	}
	for i := range max(len(a.taken[slots]), len(a.taken[bound])) {
		n.used.add(i, sign*max(a.taken[slots].at(i), a.taken[bound].at(i)))
	}
	for side, ports := range a.ports {
		for port, count := range ports {
			other := a.ports[1-side][port]
			if count > other || count == other && side == int(slots) {
				add(&n.ports, port, int(sign)*count)
			}
		}
	}
	if marks := a.marks[slots].most(a.marks[bound]); sign > 0 {
		n.marks = n.marks.plus(marks)
	} else {
		n.marks = n.marks.minus(marks)
	}
}

// without one side, a copy.
func (a *account) without(s side) *account {
	if a == nil {
		return nil
	}
	out := *a
	out.taken[s], out.ports[s], out.marks[s], out.count[s] = nil, nil, nil, 0
	if s == bound {
		out.seated = nil
	}
	return &out
}

// less a run of ranks of a set, and their pods: a copy.
func (a *account) less(s *set, r run) *account {
	out := *a
	out.seated = maps.Clone(a.seated)
	for side := range out.taken {
		out.taken[side], out.ports[side] = slices.Clone(a.taken[side]), maps.Clone(a.ports[side])
	}
	out.take(slots, s.class.requests, s.signs, -int64(r.pods))
	for rank := r.from; rank < r.from+r.pods; rank++ {
		for _, pod := range a.seated[seat{s.Name, rank}] {
			out.take(bound, pod.requests, pod.signs, -1)
		}
		delete(out.seated, seat{s.Name, rank})
	}
	return &out
}

// take so many pods more on a side.
func (a *account) take(on side, requests []amount, wears signs, pods int64) {
	for _, r := range requests {
		a.taken[on].add(r.at, r.n*pods)
	}
	for _, port := range wears.ports {
		add(&a.ports[on], port, int(pods))
	}
	a.marks[on] = a.marks[on].plus(tallyOf(wears.marks, int32(pods)))
	a.count[on] += pods
}

// run of consecutive ranks of a set on a node.
type run struct {
	node       string
	from, pods int32
}

// spare is how many pods of each set the gang runs with and can do without, but for
// so many that it is left. It never does without all.
func (g *gang) spare(keep int32) []int32 {
	spare, needed := make([]int32, len(g.sets)), false
	for k := range g.sets {
		s := &g.sets[k]
		have := s.count(slot.isHeld)
		if s.Optional > 0 {
			spare[k] = max(have-s.least-keep, 0)
		}
		needed = needed || have > spare[k]
	}
	if first := slices.IndexFunc(spare, func(n int32) bool { return n > 0 }); first >= 0 && !needed {
		spare[first]--
	}
	return spare
}

// shed so many of a set's pods, the last ranks: the slots that are left, and the runs
// that are not.
func (s *set) shed(extra int32) (left []slot, gone []run) {
	end := s.count(every)
	for _, r := range slices.Backward(s.slots) {
		pods := int32(0)
		if r.held {
			pods = min(r.count, extra)
		}
		if pods > 0 {
			left = appendRun(left, slot{count: pods})
			gone = append(gone, run{r.node, end - pods, pods})
		}
		if rest := r.count - pods; rest > 0 {
			left = appendRun(left, slot{r.node, rest, r.held})
		}
		extra, end = extra-pods, end-r.count
	}
	slices.Reverse(left)
	return left, gone
}
