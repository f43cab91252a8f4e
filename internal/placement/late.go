// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// late is what a gang is told whose start was put off: when it was to start, and why it does not.
type late struct {
	since int64
	why   string
}

// tellLate says to the promised gangs what became of the promises before.
func (pl *planner) tellLate() {
	for i, pr := range pl.made {
		g, before := pr.gang, pl.before[pr.gang]
		pr.first = pr.at
		var next *late
		if before != nil && pr.at >= before.first+leeway {
			pr.first = before.first
			if why := pl.lateness(i, pr, before); why != "" {
				next = &late{pr.first, why}
			}
		} else {
			g.passedBy = ""
		}
		pl.putOff = pl.putOff || before != nil && pr.at > before.at
		g.tellLate(next)
	}
	for g := range pl.before {
		if g.promise == nil {
			g.passedBy, pl.putOff = "", true
			g.tellLate(nil)
		}
	}
}

// tellLate notes that a gang is late, or nil that it is not, and has its reason worded anew if that is news.
func (g *gang) tellLate(next *late) {
	before := g.late
	if g.late = next; (before == nil) != (next == nil) || before != nil && *before != *next {
		g.explainedAt = 0
	}
}

// lateness of a promise that is later than before, in words; empty where nobody knows.
func (pl *planner) lateness(i int, pr, before *promise) string {
	var slow []string
	for _, key := range pr.after {
		if g := pl.p.gangs[key]; g != nil && pl.p.overdue(g) {
			slow = append(slow, key)
		}
	}
	switch {
	case len(slow) == 1:
		return slow[0] + " has run for longer than expected"
	case len(slow) > 1:
		return named(slow) + " have run for longer than expected"
	}
	pr.gang.passedBy = cmp.Or(pl.passing(pl.made[:i], before), pr.gang.passedBy)
	switch g := pr.gang; {
	case g.passedBy != "":
		return pl.p.goesFirst(g.passedBy, g)
	case g.late != nil:
		return g.late.why
	}
	return ""
}

// goesFirst says why another gang goes before one, which may be gone meanwhile.
func (p *Picture) goesFirst(by string, g *gang) string {
	first := p.gangs[by]
	switch {
	case first == nil:
		return by + " went first"
	case first.outranks(g):
		return fmt.Sprintf("%s goes first, which has priority %d", by, first.Priority)
	}
	return by + " goes first, " + first.isGuaranteed("its places", g.queue)
}

// outranks says that a gang goes before another one of its queue.
func (g *gang) outranks(o *gang) bool { return g.queue == o.queue && g.Priority > o.Priority }

// passing is who goes before a gang whose last promise yields to it; empty for nobody. Of several it
// is rather one that takes of what was promised, and one that had no promise itself.
func (pl *planner) passing(made []*promise, last *promise) string {
	by, most := "", -1
	for _, o := range made {
		if !last.yields(o.gang, o.within) {
			continue
		}
		likely := 0
		if last.meets(o) || sharesLimit(o.gang.queue, last.gang.queue) {
			likely += 2
		}
		if pl.before[o.gang] == nil {
			likely++
		}
		if likely > most {
			by, most = o.gang.Key, likely
		}
	}
	return by
}

// meets says that another promise is of places on the same node.
func (pr *promise) meets(o *promise) bool {
	return slices.ContainsFunc(pr.places, func(at place) bool {
		return slices.ContainsFunc(o.places, func(other place) bool { return other.node == at.node })
	})
}

// overdue says that a gang that runs should have ended.
func (p *Picture) overdue(g *gang) bool {
	takes, _ := p.past.runTime(g)
	return takes > 0 && g.runs() && g.Started+takes <= p.now
}

// passBy those to whom a gang that got its places may not have left what they were promised
// before it.
func (p *Picture) passBy(g *gang, heeds []bool) {
	for _, pr := range p.plan.promises {
		if heeds[pr.order] || pr.gang.promise != pr || g.promise != nil && pr.order >= g.promise.order {
			continue
		}
		if pr.concerns(g) {
			pr.gang.passedBy = g.Key
		}
	}
}

// isOn says that a gang has a place on a node.
func (g *gang) isOn(n *node) bool {
	a := n.accounts[g.Key]
	return a != nil && a.count[slots] > 0
}

// sharesLimit says that two queues have a limit in common.
func sharesLimit(a, b *queue) bool {
	for q := range a.chain {
		if b.under(q) && slices.ContainsFunc(q.quotas, func(l quota) bool { return l.Limit != Unlimited }) {
			return true
		}
	}
	return false
}

// add what others are told to the reason, which may be that of other gangs, too.
func (l *late) add(to *Reason) *Reason {
	if l == nil || to == nil {
		return to
	}
	why := *to
	why.Because = append(slices.Clip(to.Because), Reason{
		Code: to.Code,
		Text: fmt.Sprintf("it was to start by %s, but %s", time.Unix(l.since, 0).UTC().Format(time.RFC3339), l.why),
	})
	return &why
}
