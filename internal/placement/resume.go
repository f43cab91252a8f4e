// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// Who must give way to a gang is decided at once, and written gang by gang. A scheduler that dies
// between leaves some of them where they are, and nobody knows any more that they were to go. So
// whoever starts anew looks, before anybody else is given a place, whether those for whom others
// leave have room once these have left. Who has not, for that one more give way, of those who ran
// already then: nearly always the same, for who leaves already costs nothing, and who would have
// lost least before still does.

// maxCompleted bounds for how many gangs that is looked at: each is tried beside all before it.
const maxCompleted = 64

// completeClearances that a restart may have cut off, in the picture with a plan, and return the
// verdicts on those who give way.
func (p *Picture) completeClearances() []Verdict {
	e := &eviction{p: p}
	if heirs := p.resumedHeirs(); slices.ContainsFunc(heirs, p.startsLater) {
		e.complete(heirs[:min(len(heirs), maxCompleted)])
		for _, g := range heirs {
			if p.startsLater(g) {
				p.feuds[g.Key].raised = false // What was cut off, and cannot be completed, is not held against it.
			}
		}
	}
	for _, c := range p.clearances {
		c.resumed = false
	}
	return e.verdicts
}

// resumedHeirs are those whose clearances began before a restart, in the order in which they ask.
func (p *Picture) resumedHeirs() []*gang {
	var heirs []*gang
	contest := p.contest(func(g *gang) bool { return g.clearance != nil && g.clearance.resumed })
	for g := contest.next(); g != nil; g = contest.next() {
		heirs = append(heirs, g)
	}
	return heirs
}

// startsLater says that a gang was promised no start by when all have left that leave already.
func (p *Picture) startsLater(g *gang) bool { return g.promise == nil || g.promise.at > p.now+Overrun }

// complete the clearances of some gangs, and then the plan.
func (e *eviction) complete(heirs []*gang) {
	p, leaving := e.p, e.p.leaving()
	var served []*gang
	for _, g := range heirs {
		victims, fits := p.stillNeeded(g, served, leaving)
		if g.clearance.resumed = false; fits {
			served = append(served, g)
		}
		if e.favour(g, victims); len(victims) > 0 {
			g.clearance.gave += len(victims)
			e.empty(g, victims, g.clearance)
			leaving = p.leaving()
		}
	}
	p.planFor(e.favoured, max(len(heirs), p.planned, promises))
}

// leaving is all that remains of places that were given back.
func (p *Picture) leaving() []leaver {
	var list []leaver
	for _, e := range p.endings() {
		if e.part == remains {
			list = append(list, e.leaver)
		}
	}
	return list
}

// stillNeeded are those who must give way, beside those that leave already, for a gang to fit
// besides others who do, and whether it then does.
func (p *Picture) stillNeeded(g *gang, served []*gang, leaving []leaver) ([]leaver, bool) {
	p.countComing()
	list := slices.Clone(leaving)
	for _, l := range p.candidates(g, p.now) {
		if begun := g.clearance.begun; begun == 0 || l.gang.Started <= begun {
			list = append(list, l)
		}
	}
	heedAll := p.keepButForHeirs(g)
	defer heedAll()
	gone := &absence{p: p, list: list}
	defer gone.first(0)
	fits := func() bool {
		return p.seatsAll(served, func() bool { return p.seats(g, gone) })
	}
	if gone.first(len(leaving)); fits() {
		return nil, true
	}
	if _, ok := gone.fewest(fits); !ok {
		return nil, false
	}
	needed := gone.necessary(fits)
	return slices.DeleteFunc(needed, func(l leaver) bool { return l.part == remains }), true
}

// seatsAll says that there are places for some gangs, one after the other, and that something is
// possible once they have them.
func (p *Picture) seatsAll(gangs []*gang, possible func() bool) bool {
	if len(gangs) == 0 {
		return possible()
	}
	t := p.trial(gangs[0], gangs[0].lacks())
	defer t.cancel()
	_, over := t.overLimit()
	return !over && t.place(t.sequence()) && p.seatsAll(gangs[1:], possible)
}

// keepButForHeirs keeps what a gang must leave to promises, but for those to heirs, until what it
// returns is called: who is promised what others leave for it takes other places if need be.
func (p *Picture) keepButForHeirs(g *gang) func() {
	if p.plan == nil {
		return func() {}
	}
	toHeirs := slices.DeleteFunc(slices.Clone(p.plan.promises), func(pr *promise) bool { return pr.gang.clearance == nil })
	p.keepBehind(p.unheeding(g, toHeirs))
	return func() { p.keepBehind(p.plan.all()) }
}
