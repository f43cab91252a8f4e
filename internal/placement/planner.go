// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"slices"
)

// planner makes a plan: first promises to those who are within what is guaranteed to them, or
// for whom others move, then to the others. Each heeds those made before it.
//
// While it works the picture keeps the places of exactly those promises that are made or standing,
// and these are among the endings: whoever puts one into these lists calls keep, and whoever takes
// one out of them calls drop. When it is done none stands, and who uses what was made gives its
// places back (planFor).
type planner struct {
	p *Picture
	// limit of promises to those who lead, and to all; see Plan.
	limit int
	// made are the new promises; standing are those of before that are yet to be made anew, and
	// hold until then.
	made, standing []*promise
	// favoured gangs are those for whom others gave way, or who moved for them.
	favoured []*gang
	// before are the last promises to the gangs.
	before map[*gang]*promise
	// endings of all that run, and of promises, in their order; ended is the picture without the
	// first of them, which find moves to and fro.
	endings []ending
	// endingsOf each gang that has places now, or leaves some.
	endingsOf map[string][]ending
	ended     *absence
	// others come after those who lead.
	others []*gang
	// tried gangs have a promise or can have none; redone are those whose promise was made
	// anew since another one came that it yields to. leading is how many of those made lead.
	tried, redone map[*gang]bool
	leading       int
	// putOff says that some promise is later than before.
	putOff bool
}

func (p *Picture) planner(limit int) *planner {
	pl := &planner{p: p, limit: limit, before: map[*gang]*promise{}, endingsOf: map[string][]ending{}, tried: map[*gang]bool{}, redone: map[*gang]bool{}}
	for _, g := range p.promised(nil) {
		pl.before[g] = g.promise
	}
	return pl
}

// promiseAll that were promised a start before, or are to be; then elders; then whoever is next.
func (pl *planner) promiseAll(wanting, elders []*gang) {
	pl.begin(wanting)
	for _, g := range slices.Concat(wanting, elders) {
		if pl.tried[g] || slices.Contains(pl.others, g) {
			continue
		}
		pl.ended.first(0)
		if !pl.lead(g) {
			pl.others = append(pl.others, g)
		}
	}
	pl.promiseNext(pl.claimants, func() bool { return pl.leading < pl.limit }, func(g *gang) { pl.lead(g) })
	pl.promiseOthers()
	pl.fall(anyPromise)
	pl.promiseNext(pl.contest, func() bool { return len(pl.made) < pl.limit }, func(g *gang) { pl.add(g) })
	pl.ended.first(0)
}

// begin with the endings of all that run, and let those promises stand that may.
func (pl *planner) begin(wanting []*gang) {
	pl.endings = pl.p.endings()
	pl.ended = pl.p.absence(pl.endings)
	for _, e := range pl.endings {
		pl.endingsOf[e.gang.Key] = append(pl.endingsOf[e.gang.Key], e)
	}
	for _, g := range wanting {
		if before := pl.before[g]; before != nil && !before.lost() {
			pl.standing = append(pl.standing, before)
			pl.keep(before)
		}
	}
}

// promiseOthers, who come after those who lead, by seniority. There is room for twice as many with
// a promise already, so that those who lead do not take it from them.
func (pl *planner) promiseOthers() {
	slices.SortStableFunc(pl.others, func(a, b *gang) int { return cmp.Compare(pl.seniority(a), pl.seniority(b)) })
	for _, g := range pl.others {
		room := pl.limit
		if pl.before[g] != nil || g.Promised > 0 {
			room *= 2
		}
		if len(pl.made) < room {
			pl.add(g)
		}
	}
}

// promiseNext those whose turn is next, as long as more are wanted and something ends.
func (pl *planner) promiseNext(enter func() *contest, more func() bool, add func(*gang)) {
	if len(pl.endings) == 0 || !more() {
		return
	}
	pl.ended.first(0)
	contest := enter()
	for more() {
		pl.ended.first(0) // whose turn it is depends on who is there
		g := contest.next()
		if g == nil {
			return
		}
		add(g)
	}
}

// contest of those who wait and were not tried yet.
func (pl *planner) contest() *contest { return pl.p.contest(pl.waits) }

// claimants are those of them who may lead.
func (pl *planner) claimants() *contest {
	c := pl.p.contestOf(nil, pl.waits)
	c.enterRows(pl.waits, func(r *row) bool { return pl.leads(r.gangs[0]) })
	c.hopeless = func(g *gang) bool { return !pl.leads(g) }
	return c
}

func (pl *planner) waits(g *gang) bool {
	return g.told.State == Waiting && !g.moved && !g.turn.repair && !pl.tried[g] && !slices.Contains(pl.others, g)
}

// claims of a gang now, beside those with a promise, and when it starts as it was promised.
func (pl *planner) claims(g *gang) []*queue {
	claims := g.claims(current)
	if last := pl.before[g]; last != nil {
		claims = append(claims, last.within...)
	}
	return claims
}

// leads says that a gang goes before those who borrow: all those among them who were promised a
// start before yield to it.
func (pl *planner) leads(g *gang) bool {
	if pl.favours(g) {
		return true
	}
	claims := pl.claims(g)
	return len(claims) > 0 && !slices.ContainsFunc(pl.others, func(o *gang) bool {
		return pl.before[o] != nil && !pl.before[o].yields(g, claims)
	})
}

// lead with a promise to a gang; false for one that is to come later.
func (pl *planner) lead(g *gang) bool {
	if pl.leading >= pl.limit || !pl.leads(g) {
		return false
	}
	if pl.add(g) {
		pl.leading++
	}
	return true
}

// add a promise to a gang, if it can be given one. Those made already that yield to it are made
// anew. There are few of them, since who leads comes first.
func (pl *planner) add(g *gang) bool {
	pl.tried[g] = true
	old := pl.before[g]
	stood := slices.Contains(pl.standing, old)
	pl.fall(func(pr *promise) bool { return pr == old })
	if _, missing := g.queue.missing(); missing || !g.fitsLimits() {
		return false
	}
	standing, made := pl.standing, slices.Clone(pl.made)
	outranked := pl.withdraw(g, pl.claims(g))
	promised := pl.find(g)
	if stood && !promised.isBefore(old.at) {
		if renewed := pl.renew(old); g.isAwaited() && !slices.Equal(old.places, g.clearance.room) {
			promised = soonest(promised, renewed)
		} else {
			promised = soonest(renewed, promised)
		}
	}
	if promised == nil || old != nil && promised.at > old.at+leeway || slices.Contains(pl.favoured, g) && promised.at > pl.p.now+leeway {
		promised = pl.push(g, promised)
	}
	if g.isAwaited() && !promised.isBefore(pl.p.now+leeway+1) {
		g.clearance.room = nil // Somebody else is there.
		promised = pl.find(g)
	}
	if promised == nil {
		pl.reinstate(standing, made)
		return false
	}
	promised.number = pl.numberOf(g)
	pl.made = append(pl.made, promised)
	pl.keep(promised)
	for _, o := range outranked {
		pl.add(o)
	}
	return true
}

// reinstate the promises that were withdrawn for a gang which can be given none: sought anew they might be
// later, for nobody's sake.
func (pl *planner) reinstate(standing, made []*promise) {
	for _, pr := range slices.Concat(standing, made) {
		if !slices.Contains(pl.standing, pr) && !slices.Contains(pl.made, pr) {
			pl.keep(pr)
			delete(pl.redone, pr.gang)
		}
	}
	pl.standing, pl.made = standing, made
}

// favours a gang before all others.
func (pl *planner) favours(g *gang) bool { return pl.p.firm(g) || slices.Contains(pl.favoured, g) }

// find the earliest start that can be promised to a gang.
func (pl *planner) find(g *gang) *promise {
	pl.ended.first(0)
	endings, ended := pl.endings, pl.ended
	if len(pl.p.lent) > 0 {
		endings = pl.expects(g)
		ended = pl.p.absence(endings)
	}
	runs, _ := pl.p.past.runTime(g)
	promised := pl.p.promise(g, runs, slices.Concat(pl.made, pl.standing), endings, ended)
	gone := endings[:len(ended.left)]
	if ended.first(0); promised != nil {
		pl.p.await(promised, gone)
	}
	return promised
}

// keep the places of a promise until the gang ends, while others are planned.
func (pl *planner) keep(pr *promise) {
	_, sure := pl.p.past.runTime(pr.gang)
	pl.p.keepPlaces(pr, 1)
	pl.endings = pl.ended.insert(pl.endings, pr, sure)
}

// drop a promise that was kept.
func (pl *planner) drop(pr *promise) {
	pl.ended.first(0)
	pl.p.keepPlaces(pr, -1)
	of := func(l leaver) bool { return l.pledge == pr }
	pl.ended.list = slices.DeleteFunc(pl.ended.list, of)
	pl.endings = slices.DeleteFunc(pl.endings, func(e ending) bool { return of(e.leaver) })
}

func anyPromise(*promise) bool { return true }

// fall lets some of the promises fall that stand.
func (pl *planner) fall(falls func(*promise) bool) {
	var standing []*promise
	for _, pr := range pl.standing {
		if falls(pr) {
			pl.drop(pr)
		} else {
			standing = append(standing, pr)
		}
	}
	pl.standing = standing
}

// withdraw the promises that yield to a gang, and return whose they are of those made.
func (pl *planner) withdraw(g *gang, claims []*queue) []*gang {
	pl.fall(func(pr *promise) bool { return pr.yields(g, claims) })
	var outranked []*gang
	pl.made = slices.DeleteFunc(pl.made, func(pr *promise) bool {
		if pl.redone[pr.gang] || !pr.yields(g, claims) {
			return false
		}
		pl.redone[pr.gang] = true
		outranked = append(outranked, pr.gang)
		pl.drop(pr)
		return true
	})
	return outranked
}

// numberOf a promise to a gang.
func (pl *planner) numberOf(g *gang) int64 {
	number := pl.numbered(g)
	if number == 0 {
		number = pl.p.lastNumber + 1
	}
	pl.p.lastNumber = max(pl.p.lastNumber, number)
	return number
}

// numbered promise that a gang had before; zero for none.
func (pl *planner) numbered(g *gang) int64 {
	if last := pl.before[g]; last != nil {
		return last.number
	}
	return min(g.Promised, maxNumber)
}

// seniority of a gang among those who borrow: first those promised a start by the plan before, as
// they were there, then those who came with a promise, then the others.
func (pl *planner) seniority(g *gang) int64 {
	switch last := pl.before[g]; {
	case last != nil:
		return int64(last.order) - maxNumber
	case g.Promised > 0:
		return g.remembers()
	}
	return never
}

// maxNumber of a promise that a gang comes with: so many are never given, and more can be.
const maxNumber = 1 << 60

// remembered are the gangs that came with a promise, those first that start first. All promises
// that are given from now on are newer.
//
// Nobody wrote down which places they were promised. But who of them starts at the moment that it
// was told, in the order of these, finds others then in nearly all cases: what those before it take
// they took before, and give back no later.
func (p *Picture) remembered() []*gang {
	for _, g := range p.reminded {
		p.lastNumber = max(p.lastNumber, min(g.Promised, maxNumber))
	}
	p.reminded = slices.DeleteFunc(p.reminded, func(g *gang) bool { return p.gangs[g.Key] != g || !g.unplaced() })
	slices.SortFunc(p.reminded, func(a, b *gang) int {
		return cmp.Or(cmp.Compare(a.remembers(), b.remembers()), cmp.Compare(a.Promised, b.Promised), a.turn.compare(b.turn))
	})
	all := p.reminded
	p.reminded = nil
	return all
}

// remembers the moment of the start that it came with a promise of, until the first plan; zero for
// none. So long it is promised no sooner one: the next plan does that, where nobody is later for it.
func (g *gang) remembers() int64 {
	if g.Promised == 0 {
		return 0
	}
	return min(g.PromisedAt, maxNumber)
}
