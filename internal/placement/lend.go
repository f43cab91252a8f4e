// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"maps"
	"slices"
)

// Places that are kept for a promise are idle until it is due, if the limits of all who wait are
// too long to start there before. So they are lent: who would delay promises, and fits but for
// them, starts on recall. It gives way as soon as a gang that it would delay can start in its
// stead, and a minute before that one was promised to at the latest, which is why that is no
// delay; and plans know it. It takes a limit, for who has none is a service rather than a run, and to
// have saved what it did before: who may lose all had better wait. Nothing is lent of what is due
// within a quarter of an hour, or before the protected time of who is on recall is over, nor of room
// that is being made.
//
// This is not what a queue borrows of what others are guaranteed (owed.go): a gang on recall may be
// within its queue's guarantee, and one that borrows need not be on recall.

// DefaultLease is for how many seconds at least places are lent.
const DefaultLease = 15 * 60

// lentTo a gang with a duty are the places of the promises that it need not heed on recall: its
// duty then; the same where nothing is lent to it. However short a lease is, those who have it are
// asked for it a second later at the soonest, which must be in time.
func (p *Picture) lentTo(g *gang, d duty) duty {
	until := p.now + max(p.Lease, max(g.Protected, 1)+RecallNotice)
	if p.plan == nil || !p.mayStartOnRecall(g) || d.due == 0 || p.plan.byTime[d.due-1].at < until {
		return d
	}
	set := slices.Clone(p.plan.heeded[d.heeded])
	for _, pr := range p.plan.byTime[:d.due] {
		if pr.at >= until && pr.gang.clearance == nil {
			set[pr.order] = false
		}
	}
	return duty{p.plan.heed(set), d.due}
}

// mayStartOnRecall says that a gang may, if anything is lent.
func (p *Picture) mayStartOnRecall(g *gang) bool {
	return p.Lease > 0 && g.Limit > 0 && g.Checkpointed > 0 && g.promise == nil
}

// startOnRecall finds places for what a gang lacks on those that are lent to it, or changes nothing.
func (p *Picture) startOnRecall(g *gang, w wish) bool {
	if w.onRecall == w.behind {
		return false
	}
	p.keepBehind(w.onRecall)
	defer p.keepBehind(w.behind)
	if !p.elsewhere(g, func() bool { return p.fill(g, g.lacks()) }) {
		return false
	}
	heeded, lent := p.plan.heeded[w.behind.heeded], p.plan.heeded[w.onRecall.heeded]
	for _, pr := range p.plan.byTime[:w.behind.due] {
		if heeded[pr.order] && !lent[pr.order] && pr.gang.promise == pr && pr.concerns(g) {
			p.lent.by(pr.gang.Key, g.Key)
			pr.recalls = append(pr.recalls, g.Key)
		}
	}
	p.plan.stale = true // what is free by when is another than before
	return true
}

// loans are the keys of the gangs that lent each gang its places, by its own.
type loans map[string][]string

// by notes what a lender lends to a gang.
func (l loans) by(lender, to string) {
	if !slices.Contains(l[to], lender) {
		l[to] = append(l[to], lender)
	}
}

// to says that anything is lent to a gang.
func (l loans) to(g *gang) bool { return len(l[g.Key]) > 0 }

// concerns says that what a gang has may be what was promised.
func (pr *promise) concerns(g *gang) bool {
	return slices.ContainsFunc(pr.places, func(o place) bool { return g.isOn(o.node) }) || sharesLimit(g.queue, pr.gang.queue)
}

// endLoans to gangs that have no places any more, or whose lenders wait no more: what
// they have is then theirs like anybody's.
func (p *Picture) endLoans(waits func(lender *gang) bool) {
	maps.DeleteFunc(p.lent, func(key string, lenders []string) bool {
		p.lent[key] = slices.DeleteFunc(lenders, func(lender string) bool {
			l := p.gangs[lender]
			return l == nil || !waits(l)
		})
		return len(p.lent[key]) == 0 || p.gangs[key].unplaced()
	})
}

// LentBy are the keys of the gangs for which the places of one are kept, as of the last plan. A
// picture to which it is told with the gang goes on as this one would.
func (p *Picture) LentBy(key string) []string { return slices.Clone(p.lent[key]) }

// rely on what a promise takes back, be it lent by another gang, which may start elsewhere.
func (p *Picture) rely(pr *promise) {
	for _, key := range pr.recalls {
		p.lent.by(pr.gang.Key, key)
	}
}

// recall what is lent of the places of those who can start within the minute once they have it.
func (e *eviction) recall() {
	p := e.p
	if p.plan == nil {
		return
	}
	for _, pr := range slices.Clone(p.plan.promises) {
		var back []leaver
		for _, v := range p.onRecall(pr) {
			if v.recalledAt(pr.at) <= p.now {
				back = append(back, leaver{gang: v, part: everything, ground: ByRecall})
			}
		}
		if len(back) > 0 {
			e.empty(pr.gang, back, p.clear(pr.gang, len(back)))
			e.owed = true
		}
	}
}

// onRecall are those on places that a promise takes back.
func (p *Picture) onRecall(pr *promise) []*gang {
	var all []*gang
	for _, key := range pr.recalls {
		if v := p.gangs[key]; v != nil && v.holds > 0 && slices.Contains(p.lent[key], pr.gang.Key) && pr.gang.promise == pr {
			all = append(all, v)
		}
	}
	return all
}

// recalledAt is when a gang on recall must go for one that is to start at a moment, and goneBy when it
// will have: that moment, unless it is protected until then.
func (g *gang) recalledAt(start int64) int64 { return max(start-RecallNotice, g.protectedUntil()) }

func (g *gang) goneBy(start int64) int64 { return g.recalledAt(start) + RecallNotice }

// nextRecall is when the first gang on recall must go, or never.
func (p *Picture) nextRecall() int64 {
	next := int64(never)
	if p.plan == nil {
		return next
	}
	for _, pr := range p.plan.promises {
		for _, v := range p.onRecall(pr) {
			next = min(next, max(v.recalledAt(pr.at), p.now+1))
		}
	}
	return next
}

// expects when those end that run, as far as it concerns a gang that is to be promised a start:
// who is on places that it lent gives way to it, and who is on those of one with a promise already
// when that one starts.
func (pl *planner) expects(g *gang) []ending {
	p := pl.p
	if len(p.lent) == 0 {
		return pl.endings
	}
	lent := func(e ending) bool { return e.part == everything && p.lent.to(e.gang) }
	list := slices.DeleteFunc(slices.Clone(pl.endings), lent)
	starts := recallers(slices.Concat(pl.made, pl.standing))
	for key, lenders := range p.lent {
		v := p.gangs[key]
		e := ending{never, 1, leaver{gang: v, part: everything}}
		if i := slices.IndexFunc(pl.endingsOf[key], lent); i >= 0 {
			e = pl.endingsOf[key][i]
		}
		back := p.recallOf(v, starts)
		if slices.Contains(lenders, g.Key) {
			back = min(back, v.goneBy(p.now+1+RecallNotice)) // Evict recalls it in a second
		}
		if back < e.at {
			e.at, e.sure, e.ground = back, 1, ByRecall
		}
		if e.at < never {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, ending.compare)
	return list
}

// recallers are when the first promise starts that takes back what each gang has, by its key.
func recallers(promises []*promise) map[string]int64 {
	starts := map[string]int64{}
	for _, pr := range promises {
		for _, key := range pr.recalls {
			if at, known := starts[key]; !known || pr.at < at {
				starts[key] = pr.at
			}
		}
	}
	return starts
}

// recallOf is when a gang will have given back what the first promise takes of it; never for none.
func (p *Picture) recallOf(g *gang, starts map[string]int64) int64 {
	if at, recalled := starts[g.Key]; recalled && p.lent.to(g) {
		return g.goneBy(at)
	}
	return never
}
