// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"slices"
)

// reckon what is kept for the promises that are open, as things now are: what has
// ended is free, and no longer only going to be.
func (p *Picture) reckon() {
	pl := p.plan
	p.keepBehind(duty{})
	pl.promises = slices.DeleteFunc(pl.promises, func(pr *promise) bool { return pr.gang.promise != pr })
	if len(pl.promises) == 0 || slices.ContainsFunc(pl.promises, (*promise).lost) {
		p.unplan()
		return
	}
	pl.stale = false
	for order, pr := range pl.promises {
		pr.order = order
	}
	pl.byTime = slices.Clone(pl.promises)
	slices.SortStableFunc(pl.byTime, func(a, b *promise) int { return cmp.Compare(a.at, b.at) })
	pl.kept, pl.heeded, pl.numbers = p.keepings(pl, p.endings()), nil, map[string]int{}
	pl.heed(slices.Repeat([]bool{true}, len(pl.promises)))
	p.keepBehind(pl.all())
}

func (pr *promise) lost() bool { return pr.places.lost() }

// keepings of the nodes and of the queues' limits that were promised.
func (p *Picture) keepings(pl *plan, endings []ending) []*keeping {
	var kept []*keeping
	leaving := map[string][]int{}
	for i, e := range endings {
		leaving[e.gang.Key] = append(leaving[e.gang.Key], i)
	}
	for _, n := range pl.nodes() {
		kept = append(kept, pl.keeping(&n.kept, n, n.endings(endings, leaving),
			func(pr *promise) vector { return pr.on(n) },
			func(l leaver) vector { return l.frees(n) }))
	}
	queues := map[*queue]bool{}
	for _, pr := range pl.promises {
		for q := range pr.gang.queue.chain {
			if queues[q] {
				continue
			}
			queues[q] = true
			for _, kind := range q.limited() {
				kept = append(kept, pl.keeping(q.on(kind), nil, endings,
					func(pr *promise) vector { return pr.of(q, kind) },
					func(l leaver) vector { return p.returns(l, q, kind) }))
			}
		}
	}
	return kept
}

// limited kinds of nodes, or guaranteed ones, the first zero for all of them, of which shares
// are reckoned too; none for a queue without quotas.
func (q *queue) limited() []int {
	if len(q.quotas) == 0 {
		return nil
	}
	kinds := []int{0}
	for _, l := range q.quotas {
		if (l.Limit != Unlimited || l.Guaranteed > 0) && !slices.Contains(kinds, l.kind) {
			kinds = append(kinds, l.kind)
		}
	}
	return kinds
}

// of a queue's limits on a kind of nodes, zero for all, what is promised.
func (pr *promise) of(q *queue, kind int) vector {
	if !pr.gang.queue.under(q) {
		return nil
	}
	if kind == 0 {
		return pr.gang.sum(pr.gang.lacks())
	}
	return pr.sum(func(n *node) bool { return n.kind == kind })
}

// returns of what a queue uses on a kind of nodes, zero for all, when somebody leaves.
func (p *Picture) returns(l leaver, q *queue, kind int) vector {
	if l.part == remains || !l.gang.queue.under(q) {
		return nil
	}
	if kind == 0 {
		return l.gang.sum(l.gang.placed())
	}
	var v vector
	for _, s := range l.gang.sets {
		for _, r := range s.slots {
			if r.held && p.byName[r.node].kind == kind {
				for _, want := range s.class.requests {
					v.add(want.at, want.n*int64(r.count))
				}
			}
		}
	}
	return v
}

// nodes that were promised, in the order of their names.
func (pl *plan) nodes() []*node {
	is := map[string]*node{}
	for _, pr := range pl.promises {
		for _, at := range pr.places {
			is[at.node.Name] = at.node
		}
	}
	var nodes []*node
	for _, name := range sortedKeys(is) {
		nodes = append(nodes, is[name])
	}
	return nodes
}

// on a node, what is promised.
func (pr *promise) on(n *node) vector { return pr.sum(func(o *node) bool { return o == n }) }

// sum of what is promised on some of the nodes.
func (pr *promise) sum(on func(*node) bool) vector {
	var v vector
	for _, at := range pr.places {
		if on(at.node) {
			for _, r := range pr.gang.sets[at.set].class.requests {
				v.add(r.at, r.n*int64(at.pods))
			}
		}
	}
	return v
}

// whole of an account: the greater of its sides, for each resource.
func (a *account) whole() vector {
	var v vector
	if a != nil {
		for i := range max(len(a.taken[slots]), len(a.taken[bound])) {
			v.add(i, max(a.taken[slots].at(i), a.taken[bound].at(i)))
		}
	}
	return v
}

// frees is what a node gets back when it leaves. Where some of its pods remain of places that it
// gave up, they leave before the rest does.
func (l leaver) frees(n *node) vector {
	a := n.accounts[l.gang.Key]
	gaveUp := slices.ContainsFunc(l.gang.exits, func(e exit) bool { return e.node == n })
	switch {
	case a == nil, l.part == remains && !gaveUp:
		return nil
	case l.part == remains:
		v := a.whole()
		for i := range v {
			v[i] -= a.taken[slots].at(i)
		}
		return v
	case gaveUp:
		return slices.Clone(a.taken[slots])
	}
	return a.whole()
}

// sum of what so many pods of each set ask for.
func (g *gang) sum(pods []int32) vector {
	var v vector
	for k, s := range g.sets {
		for _, r := range s.class.requests {
			v.add(r.at, r.n*int64(pods[k]))
		}
	}
	return v
}

// endings of those that have anything to do with the node, in their order; leaving are
// where those of a gang are in the list.
func (n *node) endings(all []ending, leaving map[string][]int) []ending {
	var at []int
	for key := range n.accounts {
		at = append(at, leaving[key]...)
	}
	slices.Sort(at)
	here := make([]ending, len(at))
	for i, k := range at {
		here[i] = all[k]
	}
	return here
}

// duty says which promises a gang must not delay: those that it heeds (plan.heeded) and that
// are due before it ends, so many of all in the order of their moments.
type duty struct{ heeded, due int }

// all promises, for a gang that came after them and may not end.
func (pl *plan) all() duty { return duty{0, len(pl.promises)} }

// heed a set of promises, and return its number.
func (pl *plan) heed(set []bool) int {
	key := make([]byte, len(set))
	for i, heeds := range set {
		if heeds {
			key[i] = 1
		}
	}
	number, known := pl.numbers[string(key)]
	if !known {
		number = len(pl.heeded)
		pl.numbers[string(key)] = number
		pl.heeded = append(pl.heeded, set)
		for _, k := range pl.kept {
			k.behind = append(k.behind, k.leave(pl, set))
		}
	}
	return number
}

// keeping of something of which promises take what they owe, and that leavers free.
func (pl *plan) keeping(what *vector, touched *node, endings []ending, owes func(*promise) vector, frees func(leaver) vector) *keeping {
	k := &keeping{what: what, touched: touched, endings: endings, frees: frees}
	for _, pr := range pl.byTime {
		k.owed = append(k.owed, owes(pr))
	}
	k.freed = k.givenBack(pl)
	return k
}

// givenBack by the moment of each promise. For whom others gave way nothing is lent that somebody
// else will have freed by then: they start as soon as those are gone, and what others took meanwhile
// would have to be given up again.
func (k *keeping) givenBack(pl *plan) []vector {
	var freed vector
	back, endings := make([]vector, len(pl.byTime)), k.endings
	for i, pr := range pl.byTime {
		for ; len(endings) > 0 && endings[0].at <= pr.at; endings = endings[1:] {
			freed.plus(k.frees(endings[0].leaver))
		}
		if back[i] = slices.Clone(freed); pr.gang.clearance != nil {
			back[i] = k.cleared(pl.byTime[i+1:])
		}
	}
	return back
}

// cleared by those who gave way, but not to the gangs of some promises.
func (k *keeping) cleared(but []*promise) vector {
	others := func(e exit) bool {
		return e.node == k.touched && !slices.ContainsFunc(but, func(pr *promise) bool { return e.to != nil && pr.gang.clearance == e.to })
	}
	var cleared vector
	for _, e := range k.endings {
		if e.part == remains && slices.ContainsFunc(e.gang.exits, others) {
			cleared.plus(k.frees(e.leaver))
		}
	}
	return cleared
}

// leave what those who start now must who heed some promises, by how many of all are due. That
// is what is promised by each moment, to gangs that will not have ended, less what will have
// been freed, at its largest.
func (k *keeping) leave(pl *plan, heeds []bool) []vector {
	var most vector
	leave := make([]vector, 1, len(pl.byTime)+1)
	for i, pr := range pl.byTime {
		if heeds[pr.order] {
			most = most.least(k.owedBy(pl, i, heeds), k.freed[i])
		}
		leave = append(leave, most)
	}
	return leave
}

// owedBy the moment of a promise is what is promised by then to gangs that will not have ended, of those
// that are heeded.
func (k *keeping) owedBy(pl *plan, i int, heeds []bool) vector {
	var total vector
	pr := pl.byTime[i]
	for j, o := range pl.byTime[:i+1] {
		if heeds[o.order] && (o.ends > pr.at || pr.gang.clearance != nil) {
			total.plus(k.owed[j])
		}
	}
	return total
}

// least that is no less than v and leaves what is owed when so much was freed; v
// itself where that will do.
func (v vector) least(owed, freed vector) vector {
	own := false
	for i := range owed {
		if short := owed[i] - freed.at(i); short > v.at(i) {
			if !own {
				v, own = slices.Clone(v), true
			}
			v.add(i, short-v.at(i))
		}
	}
	return v
}

// keepBehind keeps what those with a duty must leave free.
func (p *Picture) keepBehind(d duty) {
	p.shares++
	for _, k := range p.plan.kept {
		if slices.Equal(*k.what, k.behind[d.heeded][d.due]) {
			continue
		}
		*k.what = k.behind[d.heeded][d.due]
		if k.touched != nil {
			p.touch(k.touched)
		}
	}
}

// unplan forgets the plan, and all its promises.
func (p *Picture) unplan() {
	if p.plan == nil {
		return
	}
	p.keepBehind(duty{})
	for _, promised := range p.plan.promises {
		promised.gang.promise = nil
	}
	p.plan = nil
	p.freed++
}

// respecting the promises that a gang is behind, do something.
func (p *Picture) respecting(g *gang, do func() bool) bool {
	if p.plan == nil {
		return do()
	}
	if d, all := p.behind(g), p.plan.all(); d != all {
		p.keepBehind(d)
		defer func() {
			if p.plan != nil {
				p.keepBehind(all)
			}
		}()
	}
	return do()
}

// behind which promises a gang is: those that it heeds and that are due before it ends.
func (p *Picture) behind(g *gang) duty {
	if p.plan == nil {
		return duty{}
	}
	d := p.plan.all()
	if heeds, some := p.plan.heeds(g); some {
		d.heeded = p.plan.heed(heeds)
	}
	if g.Limit > 0 {
		d.due = p.plan.dueBy(g.endsBy(p.now))
	}
	return d
}

// dueBy a moment are so many promises, the first of them. For whom room is made starts as soon as
// those have gone who gave way, which is sooner than was promised: that is due at any moment.
func (pl *plan) dueBy(at int64) int {
	due, _ := slices.BinarySearchFunc(pl.byTime, at, func(pr *promise, at int64) int { return cmp.Compare(pr.at, at) })
	for i := len(pl.byTime); i > due; i-- {
		if pl.byTime[i-1].gang.clearance != nil {
			return i
		}
	}
	return due
}

// heeds says which promises a gang must not delay: those that do not yield to it, and of those
// made after its own the ones that do not wait for its end; false for all of them.
func (pl *plan) heeds(g *gang) ([]bool, bool) {
	claims := g.claims(inUse)
	yields := func(pr *promise) bool { return pr.yields(g, claims) }
	if g.promise == nil && !slices.ContainsFunc(pl.promises, yields) {
		return nil, false
	}
	set := make([]bool, len(pl.promises))
	for i, pr := range pl.promises {
		follows := g.promise != nil && pr.order > g.promise.order && pr.at >= g.promise.ends
		set[i] = pr.gang != g && !follows && !yields(pr)
	}
	return set, true
}

// endsBy is the moment at which a gang with a limit has ended, should it start now
// if it does not run; never for one that nobody ended when its time was over.
func (g *gang) endsBy(now int64) int64 {
	switch end := g.Started + g.Limit; {
	case !g.runs(), g.Started == 0: // it has just got its places
		return now + g.Limit
	case end > now:
		return end
	}
	return never
}

// fulfil the promise of a gang that is placed, or that is not wanted any more.
func (p *Picture) fulfil(g *gang) {
	if g.promise == nil {
		return
	}
	g.promise = nil
	p.plan.stale = true
	p.freed++ // what was kept for it
}
