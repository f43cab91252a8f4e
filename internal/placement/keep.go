// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"math"
	"slices"
)

// reckon what is kept for the promises that are open, as things now are: what has
// ended is free, and no longer only going to be.
func (p *Picture) reckon() {
	pl := p.plan
	p.keepBehind(0)
	pl.promises = slices.DeleteFunc(pl.promises, func(pr *promise) bool { return pr.gang.promise != pr })
	if len(pl.promises) == 0 || slices.ContainsFunc(pl.promises, (*promise).lost) {
		p.unplan()
		return
	}
	pl.stale, pl.first = false, math.MaxInt64
	for order, pr := range pl.promises {
		pr.order = order
		pl.first = min(pl.first, pr.at)
	}
	pl.kept = p.keepings(pl, p.endings())
	p.keepBehind(len(pl.promises))
}

// lost says that a node of the promised places is gone.
func (pr *promise) lost() bool {
	return slices.ContainsFunc(pr.places, func(at place) bool { return !at.node.known })
}

// keepings of the nodes and of the queues' limits that were promised.
func (p *Picture) keepings(pl *plan, endings []ending) []*keeping {
	var kept []*keeping
	for _, n := range pl.nodes() {
		kept = append(kept, &keeping{what: &n.kept, touched: n, behind: pl.behind(endings,
			func(pr *promise) vector { return pr.on(n) },
			func(l leaver) vector { return l.frees(n) })})
	}
	queues := map[*queue]bool{}
	for _, pr := range pl.promises {
		for q := range pr.gang.queue.chain {
			if queues[q] {
				continue
			}
			queues[q] = true
			for _, kind := range q.limited() {
				kept = append(kept, &keeping{what: q.on(kind), behind: pl.behind(endings,
					func(pr *promise) vector { return pr.of(q, kind) },
					func(l leaver) vector { return p.returns(l, q, kind) })})
			}
		}
	}
	return kept
}

// limited kinds of nodes, the first zero for all of them, of which shares are reckoned
// too; none for a queue without quotas.
func (q *queue) limited() []int {
	if len(q.quotas) == 0 {
		return nil
	}
	kinds := []int{0}
	for _, l := range q.quotas {
		if l.Limit != Unlimited && !slices.Contains(kinds, l.kind) {
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
	var v vector
	for _, at := range pr.places {
		if at.node.kind == kind {
			for _, r := range pr.gang.sets[at.set].class.requests {
				v.add(r.at, r.n*int64(at.pods))
			}
		}
	}
	return v
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
func (pr *promise) on(n *node) vector {
	var v vector
	for _, at := range pr.places {
		if at.node == n {
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

// frees is what a node gets back when it leaves.
func (l leaver) frees(n *node) vector {
	a := n.accounts[l.gang.Key]
	v := a.whole()
	if a != nil && l.part == remains {
		for i := range v {
			v[i] -= a.taken[slots].at(i)
		}
	}
	return v
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

// behind any number of promises: what those who start now, and go on after their
// moments, must leave of something. That is what is promised by each moment less
// what will have ended, at its largest.
func (pl *plan) behind(endings []ending, owes func(*promise) vector, frees func(leaver) vector) []vector {
	byTime := slices.Clone(pl.promises)
	slices.SortStableFunc(byTime, func(a, b *promise) int { return cmp.Compare(a.at, b.at) })
	behind := make([]vector, len(pl.promises)+1)
	for order := range behind {
		var owed, freed, most vector
		ended := 0
		for _, pr := range byTime {
			if pr.order >= order {
				continue
			}
			for ; ended < len(endings) && endings[ended].at <= pr.at; ended++ {
				freed.plus(frees(endings[ended].leaver))
			}
			owed.plus(owes(pr))
			for i := range owed {
				if short := owed[i] - freed.at(i); short > most.at(i) {
					most.add(i, short-most.at(i))
				}
			}
		}
		behind[order] = most
	}
	return behind
}

// keepBehind keeps what those behind so many promises must leave free.
func (p *Picture) keepBehind(promises int) {
	for _, k := range p.plan.kept {
		if slices.Equal(*k.what, k.behind[promises]) {
			continue
		}
		*k.what = k.behind[promises]
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
	p.keepBehind(0)
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
	behind := p.behind(g)
	if all := len(p.plan.promises); behind < all {
		p.keepBehind(behind)
		defer func() {
			if p.plan != nil {
				p.keepBehind(all)
			}
		}()
	}
	return do()
}

// behind how many promises a gang is: those made before its own, or none if it
// ends before the first of them is due.
func (p *Picture) behind(g *gang) int {
	switch {
	case p.plan == nil:
		return 0
	case g.promise != nil:
		return g.promise.order
	case g.Limit > 0 && g.endsBy(p.now) <= p.plan.first:
		return 0
	}
	return len(p.plan.promises)
}

// endsBy is the moment at which a gang with a limit has ended, should it start now
// if it does not run.
func (g *gang) endsBy(now int64) int64 {
	if g.runs() {
		return g.Started + g.Limit
	}
	return now + g.Limit
}

// fulfil the promise of a gang that is placed, or that is not wanted any more.
func (p *Picture) fulfil(g *gang) {
	if g.promise == nil {
		return
	}
	g.promise = nil
	p.plan.stale = true
}
