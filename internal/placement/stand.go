// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// A promise is not made later than it was because those before it are made anew: they may start
// sooner, and elsewhere, since somebody ended early. So the promises of before stand until it is
// their turn, the others are made around them, and one that cannot be made earlier stays as it is.
// Only what happened to the cluster breaks it: a run that goes on for longer than expected, a node
// that is lost, a limit that is lowered, a gang that goes before it. Then those fall that were
// given after it, and are made anew in turn.

// renew a promise that can be kept beside those made already, in the picture as it is now, or nil.
// It may be late by the leeway, or everything would be turned upside down for a few moments.
func (pl *planner) renew(pr *promise) *promise {
	admits := func(at place) bool { return pr.gang.sets[at.set].class.admits(at.node) }
	if pr.lost() || !slices.Equal(pr.pods(), pr.gang.lacks()) || slices.ContainsFunc(pr.places, func(at place) bool { return !admits(at) }) {
		return nil
	}
	c := calendar{pl: pl, endings: pl.expects(pr.gang), lent: map[string]ending{}}
	for _, e := range c.endings {
		if e.part == everything && pl.p.lent.to(e.gang) {
			c.lent[e.gang.Key] = e
		}
	}
	for _, at := range c.moments(pr) {
		if next := pr.moved(at); !c.clashes(next) {
			next.firm = pl.p.firm(pr.gang)
			pl.p.await(next, c.endings[:endedBy(c.endings, at)])
			return next
		}
	}
	return nil
}

// pods of each set that have a place.
func (pr *promise) pods() []int32 {
	pods := make([]int32, len(pr.gang.sets))
	for _, at := range pr.places {
		pods[at.set] += at.pods
	}
	return pods
}

// calendar says who ends when, and apart who is on places that are lent.
type calendar struct {
	pl      *planner
	endings []ending
	lent    map[string]ending
}

// freed is what a node gets back by a moment.
func (c *calendar) freed(n *node, at int64) vector {
	var freed vector
	for key := range n.accounts {
		for _, e := range c.pl.endingsOf[key] {
			if back, lent := c.lent[key]; lent && e.part == everything {
				e = back
			}
			if e.at <= at {
				freed.plus(e.frees(n))
			}
		}
	}
	return freed
}

// moments at which a promise may be kept: its own, and those soon after it at which somebody ends.
func (c *calendar) moments(pr *promise) []int64 {
	list := []int64{max(pr.at, c.pl.p.now)}
	for _, e := range c.endings[endedBy(c.endings, list[0]):] {
		if e.at > pr.at+leeway {
			break
		}
		list = append(list, e.at)
	}
	return slices.Compact(list)
}

// moved is the promise for another moment.
func (pr *promise) moved(at int64) *promise {
	next := *pr
	if next.at = at; pr.ends != never {
		next.ends += at - pr.at
	}
	return &next
}

// clashes says that a promise takes what somebody needs who was promised a start before, at some
// moment while both run.
func (c *calendar) clashes(pr *promise) bool {
	moments := []int64{pr.at}
	for _, o := range c.pl.made {
		if o.at > pr.at && o.at < pr.ends {
			moments = append(moments, o.at)
		}
	}
	return slices.ContainsFunc(moments, func(at int64) bool {
		under := []*promise{pr}
		for _, o := range c.pl.made {
			if o.at <= at && at < o.ends {
				under = append(under, o)
			}
		}
		return c.overbooked(pr, under, at) || c.overdrawn(pr, under, at)
	})
}

// overbooked says that at a moment promises take more of a node of one of them than there is.
func (c *calendar) overbooked(pr *promise, under []*promise, at int64) bool {
	return slices.ContainsFunc(pr.places, func(to place) bool {
		freed, taken := c.freed(to.node, at), vector(nil)
		for _, o := range under {
			taken.plus(o.on(to.node))
		}
		return slices.ContainsFunc(pr.gang.sets[to.set].class.requests, func(r amount) bool {
			return to.node.used.at(r.at)-freed.at(r.at)+taken.at(r.at) > to.node.alloc.at(r.at)
		})
	})
}

// overdrawn says that at a moment promises take more of a limit of one's queues than there is.
func (c *calendar) overdrawn(pr *promise, under []*promise, at int64) bool {
	for q := range pr.gang.queue.chain {
		for _, l := range q.quotas {
			if l.Limit == Unlimited || pr.of(q, l.kind).at(l.at) == 0 {
				continue
			}
			taken := q.used.of(l.kind, l.at)
			for _, e := range c.endings {
				if e.at <= at && e.part == everything {
					taken -= c.pl.p.returns(e.leaver, q, l.kind).at(l.at)
				}
			}
			for _, o := range under {
				taken += o.of(q, l.kind).at(l.at)
			}
			if taken > l.Limit {
				return true
			}
		}
	}
	return false
}

// push aside the promises that stand for a gang whose own is broken, which was given before them, or
// for which others gave way just now: it is promised a sooner start if that is possible without
// them, and otherwise they stand again.
func (pl *planner) push(g *gang, promised *promise) *promise {
	standing := pl.standing
	if len(standing) == 0 {
		return promised
	}
	pl.fall(anyPromise)
	if sooner := pl.find(g); sooner != nil && (promised == nil || sooner.at < promised.at) {
		return sooner
	}
	for _, pr := range standing {
		pl.keep(pr)
	}
	pl.standing = standing
	return promised
}

// isBefore says that there is a promise, and that it is for sooner than a moment.
func (pr *promise) isBefore(at int64) bool { return pr != nil && pr.at < at }

// soonest of two promises, each of which may be none; the first where that is one.
func soonest(a, b *promise) *promise {
	if b == nil || a.isBefore(b.at+1) {
		return a
	}
	return b
}
