// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"slices"
)

// The rights of a gang to the places of others; those of an elder are in elder.go.

// entitled says that there may be somebody who must give way: a quick answer for
// the many gangs that have no such right.
func (e *eviction) entitled(g *gang) bool {
	if g.Priority > 0 || e.p.elastic > 0 || e.idlers > 0 || e.broken > 1 && g.broken() {
		return true
	}
	for q := range g.queue.chain {
		for _, l := range q.quotas {
			if q.guarantees(g, func(o quota) bool { return o.kind == 0 || o.kind == l.kind }) {
				return true
			}
		}
	}
	return false
}

// guarantees says that the queue is guaranteed something that the gang asks for, and that with
// the gang, and those for whom room is being made, it would use no more than that of anything
// that some lines of its quota name.
func (q *queue) guarantees(g *gang, counts func(quota) bool) bool {
	return q.covers(counts, func(l quota) int64 { return g.asks(g.lacks(), l.at) }, withComing)
}

// withComing is what is in use of a quota, and will be once those have it for whom room is
// being made.
func withComing(q *queue, l quota) int64 { return inUse(q, l) + q.coming.at(l.at) }

// countComing to each queue, but for those whose clearances are yet to be completed.
func (p *Picture) countComing() {
	p.root.coming = nil
	for _, q := range p.queues {
		q.coming = nil
	}
	for _, g := range p.heirs() {
		if !g.clearance.resumed {
			g.comes()
		}
	}
}

// comes for what it lacks, which counts for its queues as if it had it.
func (g *gang) comes() {
	for q := range g.queue.chain {
		q.coming.plus(g.sum(g.lacks()))
	}
}

// givesWay says that one gang must, if there is no room for both, as long as its queue can spare
// it (leaves).
func (p *Picture) givesWay(v, g *gang) bool {
	late := p.overtook(v, g)
	if v.queue == g.queue {
		return late || g.outranks(v)
	}
	return late || p.owes(v, g)
}

// owes says that a gang holds what is guaranteed to another one rather than to it. Where it is on nodes of
// several kinds, those count of which the other's queue is guaranteed some.
func (p *Picture) owes(v, g *gang) bool {
	mine, _ := apart(g.queue, v.queue)
	if mine == nil {
		return false
	}
	counts, held := p.countsFor(v), p.held(v)
	spans := slices.ContainsFunc(held, func(n *node) bool { return n.kind != held[0].kind })
	return mine.guarantees(g, func(l quota) bool { return counts(l) && (l.kind == 0 || l.Guaranteed > 0 || !spans) })
}

// isGuaranteed says which project of the gang is guaranteed something, against another queue: its own, or
// one above it.
func (g *gang) isGuaranteed(what string, against *queue) string {
	if mine, _ := apart(g.queue, against); mine != nil && mine != g.queue {
		return fmt.Sprintf("whose project is part of %s, which is guaranteed %s", mine.Name, what)
	}
	return "whose project is guaranteed " + what
}

// countsFor a gang of a quota are what is of all nodes, and of the kinds that it is on.
func (p *Picture) countsFor(v *gang) func(quota) bool {
	return func(l quota) bool {
		return l.kind == 0 || slices.ContainsFunc(p.held(v), func(n *node) bool { return n.kind == l.kind })
	}
}

// leaves says that the queues of a victim, which holds so much, still use more than they are
// guaranteed of something that the gang asks for, without those taken before, up to the queue
// that it shares with the gang. With a gang that is partly within its queue's guarantee
// that queue may be left less: gangs give way whole.
func (p *Picture) leaves(l leaver, holds vector, g *gang, taken map[*queue]vector) bool {
	counts := p.countsFor(l.gang)
	for q := range l.gang.queue.chain {
		if g.queue.under(q) {
			break
		}
		guaranteed, borrows := false, false
		for _, l := range q.quotas {
			if holds.at(l.at) > 0 && g.asks(g.lacks(), l.at) > 0 && counts(l) {
				guaranteed = true
				borrows = borrows || q.used.of(l.kind, l.at)-taken[q].at(l.at) > l.Guaranteed
			}
		}
		if guaranteed && !borrows {
			return false
		}
	}
	for q := range l.gang.queue.chain {
		if g.queue.under(q) {
			break
		}
		sum := taken[q]
		sum.plus(holds)
		taken[q] = sum
	}
	return true
}

// apart are the queues at which the ways from two queues to the root part, each nil
// if it is on the other's way.
func apart(a, b *queue) (*queue, *queue) {
	below := func(q, other *queue) *queue {
		var last *queue
		for above := range q.chain {
			if other.under(above) {
				break
			}
			last = above
		}
		return last
	}
	return below(a, b), below(b, a)
}
