// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// What is guaranteed to a queue comes before what others borrow, in what is promised, too. Of
// two gangs that is asked where their ways to the root part: one whose queue there is within
// its guarantee with it heeds no promise to one whose queue is not, and such promises are made
// after its own. So a promise to a gang within its guarantee is delayed by none of them, and one to a
// gang that borrows by those who are within theirs, and by those that are firm: they take back
// what is free as they would take it back from those that run. Each of them adds to what its
// queue uses, so that this ends where the guarantee does.
//
// Whether a promised gang borrows is asked of the moment for which it is promised: it may start
// on what its own queue gives back until then. Two kinds of gangs that borrow are passed by no
// more than others: who has waited for so long that others move for it (move.go), or else those
// who come all the time would starve it; and for whom others gave way, as long as their pods are
// ending, or else they would have done so in vain. Within a queue it is priority that passes.

// firm says that a promise to the gang holds whatever it borrows.
func (p *Picture) firm(g *gang) bool { return g.clearance != nil || p.stirs(g) }

// inUse of a quota now, be there promises or not.
func inUse(q *queue, l quota) int64 { return q.used.of(l.kind, l.at) }

// covers says that the queue is guaranteed something of what is asked for, and that with it it
// would use no more than that of anything that its quota names, some lines of which count: of
// what it is guaranteed none of, none. What it does not name is shared freely.
func (q *queue) covers(counts func(quota) bool, asks func(quota) int64, used func(*queue, quota) int64) bool {
	some := false
	for _, l := range q.quotas {
		if !counts(l) {
			continue
		}
		n := asks(l)
		if n == 0 {
			continue
		}
		if used(q, l)+n > l.Guaranteed {
			return false
		}
		some = true
	}
	return some
}

// anywhere is what counts of a quota where it is not known on which kind of nodes a gang will be:
// what is guaranteed on each of them. On one where nothing is, it need not be.
func anywhere(l quota) bool { return l.kind == 0 || l.Guaranteed > 0 }

// everywhere is what counts where the places are known: all of it.
func everywhere(quota) bool { return true }

// claims of a gang are its queue and those above it that would be within what they are
// guaranteed with it. On which kind of nodes it will be is not known: it counts on each.
func (g *gang) claims(used func(*queue, quota) int64) []*queue {
	var claims []*queue
	var lacks []int32
	for q := range g.queue.chain {
		covers := q.covers(anywhere, func(l quota) int64 {
			if lacks == nil {
				lacks = g.lacks()
			}
			return g.asks(lacks, l.at)
		}, used)
		if covers {
			claims = append(claims, q)
		}
	}
	return claims
}

// claims of a promise are the queues of its gang that are within what they are guaranteed with it,
// after those have left that must.
func (pr *promise) claims() []*queue {
	var claims []*queue
	for q := range pr.gang.queue.chain {
		if q.covers(everywhere, func(l quota) int64 { return pr.of(q, l.kind).at(l.at) }, current) {
			claims = append(claims, q)
		}
	}
	return claims
}

// yields says that the promise does not hold back a gang with claims, nor one of higher priority, to
// which it would give way as soon as it ran.
func (pr *promise) yields(g *gang, claims []*queue) bool {
	switch {
	case pr.firm || pr.gang == g:
		return false
	case g.outranks(pr.gang):
		return true
	case len(claims) == 0:
		return false
	}
	mine, theirs := apart(g.queue, pr.gang.queue)
	return slices.Contains(claims, mine) && !slices.Contains(pr.within, theirs) && !pr.isBeyond(mine, g)
}

// isBeyond a queue's guarantee says that it is on nodes of a kind on which the queue is guaranteed
// none of what a gang asks for.
func (pr *promise) isBeyond(q *queue, g *gang) bool {
	return slices.ContainsFunc(q.quotas, func(l quota) bool {
		return l.kind > 0 && l.Guaranteed == 0 && g.asks(g.lacks(), l.at) > 0 && pr.sum(func(n *node) bool { return n.kind == l.kind }).at(l.at) > 0
	})
}
