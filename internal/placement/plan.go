// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"slices"
)

// plan is what is kept for the first gangs that wait: for each the moment at which
// it can start, when those that run end as they said, and the places that it then
// takes. Others may start meanwhile where they delay none of that (conservative
// backfilling): on each node, if they end before it is needed, and otherwise on what
// the promised gangs will not need of it.
type plan struct {
	promises []*promise // in the order in which they were made
	byTime   []*promise // in the order of their moments
	kept     []*keeping
	// heeded are sets of promises that somebody must not delay, by promise.order; the first is
	// all of them. numbers of sets are where they are.
	heeded  [][]bool
	numbers map[string]int
	// stale says that something ended, or a promise was fulfilled: what is kept must
	// be reckoned again.
	stale bool
}

// promise to a gang. When it is due and something that runs has not ended as it
// said, the next plan puts it off.
type promise struct {
	gang *gang
	// at the moment it starts, and it has ended at another one; never if nobody knows.
	at, ends int64
	// after are the other gangs whose places it takes, which is as sure as that they end
	// by then.
	after  []string
	sure   float64
	order  int // how many were made before
	places room
	// recalls are the keys of the gangs on places that it lent, and which it takes.
	recalls []string
	// within are the queues of the gang that are within what they are guaranteed when it starts.
	// firm is one to a gang that goes before them all.
	within []*queue
	firm   bool
	// first is the moment that was promised first, of this gang; number is that of the promise.
	first, number int64
}

// place for pods of a set.
type place struct {
	set  int
	node *node
	pods int32
	// labels is how often those of the node had changed.
	labels int
}

// keeping of a node, or of a queue's limit: what those that are behind a duty must
// leave of it, by duty.heeded and duty.due. owed is what each promise takes of it, in the
// order of their moments, and freed what is given back until then: what each leaver frees, in the
// order of endings.
type keeping struct {
	what        *vector
	touched     *node // nil for a queue
	endings     []ending
	frees       func(leaver) vector
	owed, freed []vector
	behind      [][]vector
}

// ending of a gang that runs for a time that is known, or of what remains of one.
type ending struct {
	at   int64
	sure float64
	leaver
}

// endedBy a moment are so many, the first of a list that is in order.
func endedBy(endings []ending, at int64) int {
	n, _ := slices.BinarySearchFunc(endings, at, func(e ending, at int64) int { return cmp.Or(cmp.Compare(e.at, at), -1) })
	return n
}

// compare endings by when they are.
func (e ending) compare(o ending) int {
	return cmp.Or(cmp.Compare(e.at, o.at), -cmp.Compare(e.sure, o.sure), cmp.Compare(e.gang.Key, o.gang.Key), cmp.Compare(o.part, e.part))
}

const (
	// maxRuns bounds what planning costs.
	maxRuns = 20000
	// Overrun is for how many seconds more, at least, a gang is expected to run whose limit is
	// over.
	Overrun = 60
	// leeway is by how many seconds a promise may be late before that is said, or anything done
	// about it: many a run ends some moments after its limit.
	leeway = Overrun
	// RecallNotice is for how many seconds before a start those on recall give way to it: their
	// pods end meanwhile.
	RecallNotice = Overrun
)

// Plan promises gangs that wait when they will start, and returns for how many it could: at
// most so many that are within what is guaranteed to them, or for whom others move, and then
// others, up to so many in all beside those with a promise already. Of each kind those with a
// promise come first, then elders, then those whose turn is next. Until the next plan no
// decision delays a promise but to a gang that borrows (owed.go). Gangs without a run-time limit
// are taken to run as long as earlier ones of their kind, or else for ever; but to start before
// a promise is due takes a limit.
func (p *Picture) Plan(limit int) int { return p.planFor(nil, limit) }

// planFor some gangs before all others.
func (p *Picture) planFor(favoured []*gang, limit int) int {
	p.endLoans((*gang).unplaced)
	pl, wanting := p.planner(limit), slices.Concat(p.inLine(favoured), p.remembered())
	pl.favoured = favoured
	elders := slices.DeleteFunc(p.elders(limit), func(g *gang) bool { return slices.Contains(wanting, g) })
	p.planned = limit
	p.unplan()
	p.resume()
	pl.promiseAll(wanting, elders)
	for _, promised := range pl.made {
		p.keepPlaces(promised, -1)
		promised.gang.promise = promised
		p.rely(promised)
	}
	p.endLoans(func(lender *gang) bool { return lender.promise != nil })
	for _, g := range wanting {
		g.Promised, g.PromisedAt = 0, 0 // that was for the first plan
	}
	pl.tellLate()
	due := func(pr *promise) bool { return pr.at <= p.now }
	p.ripe = p.ripe || pl.putOff || slices.ContainsFunc(pl.made, due)
	if len(pl.made) > 0 {
		p.plan = &plan{promises: pl.made}
		p.reckon()
		p.changes++
	}
	return len(pl.made)
}

// promised are the gangs that the plan is not done with, but for some.
func (p *Picture) promised(but []*gang) []*gang {
	var gangs []*gang
	if p.plan != nil {
		for _, promised := range p.plan.promises {
			if promised.gang.promise == promised && !slices.Contains(but, promised.gang) {
				gangs = append(gangs, promised.gang)
			}
		}
	}
	return gangs
}

// Start is when a gang that waits will start.
type Start struct {
	// At is the moment, in seconds.
	At int64
	// After are the keys of the other gangs whose places it takes, which have ended by then.
	After []string
	// Confidence, between 0 and 1, that all of them have.
	Confidence float64
	// Number of the promise: who is promised a start later has a greater one (Gang.Promised).
	Number int64
}

// PlannedStart is what a gang that waits was promised.
func (p *Picture) PlannedStart(key string) (Start, bool) {
	g := p.gangs[key]
	if g == nil || g.promise == nil {
		return Start{}, false
	}
	return Start{g.promise.at, g.promise.after, g.promise.sure, g.promise.number}, true
}

func (p *Picture) endings() []ending {
	all := p.orphans()
	for _, g := range p.departing() {
		left := slices.MaxFunc(g.exits, func(a, b exit) int { return cmp.Compare(a.at, b.at) }).at
		all = append(all, ending{p.expectedEnd(left + Overrun), 1, leaver{gang: g, part: remains}})
	}
	var starts map[string]int64
	if p.plan != nil {
		starts = recallers(p.plan.promises)
	}
	for _, g := range p.holders {
		if takes, sure := p.past.runTime(g); takes > 0 {
			end := g.Started + takes
			if end < p.now {
				sure /= 2
			}
			all = append(all, ending{min(p.expectedEnd(end), p.recallOf(g, starts)), sure, leaver{gang: g, part: everything}})
		}
	}
	slices.SortFunc(all, ending.compare)
	return all[:min(len(all), maxRuns)]
}

// expectedEnd of a gang that should end at a moment. One that should have ended is
// expected to run for as long again as it has been over: so that it is not thought to
// end any moment, for hours, and gangs are promised other places.
func (p *Picture) expectedEnd(end int64) int64 {
	if end > p.now {
		return end
	}
	return p.now + max(p.now-end, Overrun)
}

// promise finds the first moment at which the gang, which runs for so long or, with zero,
// nobody knows how long, fits beside what was promised before; nil for never. Promises
// that are due when it has ended are not in its way.
func (p *Picture) promise(g *gang, runs int64, before []*promise, endings []ending, ended *absence) *promise {
	before = slices.SortedStableFunc(slices.Values(before), func(a, b *promise) int { return cmp.Compare(a.at, b.at) })
	for respected := range len(before) + 1 {
		until := int64(never)
		if respected < len(before) {
			until = before[respected].at
			if g.Limit == 0 || p.now+runs > until { // as Decide has it
				continue
			}
		}
		for _, later := range before[respected:] {
			p.keepPlaces(later, -1)
		}
		promised := p.earliest(g, endings, ended)
		for _, later := range before[respected:] {
			p.keepPlaces(later, 1)
		}
		switch {
		case promised == nil:
			return nil
		case runs > 0:
			promised.ends = promised.at + runs
		}
		if until == never || promised.ends <= until {
			return promised
		}
	}
	return nil
}

// earliest moment at which a gang fits beside what is kept, or nil. The more has ended
// the more fits. Those stay absent that had to end, so that the next search need not
// begin anew.
func (p *Picture) earliest(g *gang, endings []ending, ended *absence) *promise {
	var found room
	search := ended.fewest
	if g.steady() {
		search = ended.soonest
	}
	from, least := p.now, 0
	if told := g.remembers(); told > from {
		from, least = told, endedBy(endings, told)
	}
	count, ok := search(func() bool {
		if found = nil; len(ended.left) >= least {
			found = p.rehearse(g)
		}
		return found != nil
	})
	if !ok {
		return nil
	}
	promised := &promise{gang: g, at: from, ends: never, sure: 1, places: found}
	if count > least {
		promised.at = endings[count-1].at
	}
	promised.firm = p.firm(g)
	promised.within = promised.claims()
	return promised
}

// insert the end of a promised gang, while none of them has left.
func (a *absence) insert(endings []ending, pr *promise, sure float64) []ending {
	if pr.ends == never {
		return endings
	}
	i, _ := slices.BinarySearchFunc(endings, pr.ends, func(e ending, at int64) int { return cmp.Or(cmp.Compare(e.at, at), -1) })
	l := leaver{gang: pr.gang, part: pledged, pledge: pr}
	a.list = slices.Insert(a.list, i, l)
	return slices.Insert(endings, i, ending{pr.ends, sure * pr.sure, l})
}

// rehearse says where the gang would go now, or stay, without letting it; nil is nowhere. One for which
// others gave way goes where it was to.
func (p *Picture) rehearse(g *gang) room {
	var found room
	p.elsewhere(g, func() bool {
		t := p.trial(g, g.lacks())
		defer t.cancel()
		place := func() bool { return t.place(t.sequence()) }
		if g.isAwaited() {
			place = func() bool { return t.takeRoom(g.clearance.room) }
		}
		if _, over := t.overLimit(); over || !place() {
			return false
		}
		found = t.found()
		return true
	})
	return found
}

// keepPlaces of a promise free while others are planned, or no longer.
func (p *Picture) keepPlaces(promised *promise, sign int64) {
	p.shares++
	for _, at := range promised.places {
		for _, r := range promised.gang.sets[at.set].class.requests {
			at.node.kept.add(r.at, sign*r.n*int64(at.pods))
		}
		p.touch(at.node)
	}
	for q := range promised.gang.queue.chain {
		for _, kind := range q.limited() {
			kept := q.on(kind)
			for i, n := range promised.of(q, kind) {
				kept.add(i, sign*n)
			}
		}
	}
}
