// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"fmt"
	"slices"
)

// Evict makes room for the first gangs that wait and have a right to it, at most so
// many, and returns the verdicts on the gangs that give way: they wait again, or run
// with fewer pods, and the places are promised to the one that they make room for.
//
// Within a queue a gang gives way to one of higher priority, and what it can do
// without to one of its own. Between queues one that would stay within what it is
// guaranteed takes back what others borrowed, as long as they use more than they are
// guaranteed. To an elder (elder.go) those give way that overtook it, or move (move.go).
// What is idle goes before all else (idle.go). What gangs can do without goes first; then
// they give way whole, those of the lowest priority first, of these those that lose least
// by it, and none in its protected time.
func (p *Picture) Evict(limit int) []Verdict {
	p.endLoans((*gang).unplaced)
	p.endClearances()
	p.forgetFeuds()
	p.countComing()
	p.protected = never
	e := &eviction{p: p, kept: map[duty]uint64{}}
	e.idlers, e.broken = p.countIdle()
	e.idleUntil = p.protected
	e.recall()
	e.allow(limit)
	for e.askForElder(); e.askForAll() && e.left > 0; e.askForElder() {
		if p.nextRound(); !e.passed {
			break
		}
		e.allow(e.left)
	}
	if e.passed {
		p.protected = min(p.protected, p.now+1)
	}
	e.promise()
	return e.verdicts
}

// eviction is one run of Evict.
type eviction struct {
	p *Picture
	// idlers are how many of those that lost a place forfeit what they hold to anybody, and
	// broken is how many of them may have to give it to another one of them; idleUntil is when
	// there is one more.
	idlers, broken int
	idleUntil      int64
	// left is how many may ask yet, and again how many of those who asked in this round; passed
	// says that one of them was passed over.
	left, again int
	passed      bool
	// kept is what those with a duty must leave; see keptFrom.
	kept map[duty]uint64
	// favoured are promised their places next: those for whom room was made, each with those
	// who move for it. owed says that some of them were not yet.
	favoured []*gang
	owed     bool
	verdicts []Verdict
}

// allow so many to ask.
func (e *eviction) allow(limit int) { e.left, e.again, e.passed = limit, limit/2, false }

// askForAll who may have a right, in turn, and say whether they all had their turn. If not,
// the others have theirs soon.
func (e *eviction) askForAll() bool {
	contest := e.p.contest(func(g *gang) bool {
		return g.told.State == Waiting && !g.moved && g.clearance == nil
	})
	for g := contest.next(); g != nil; g = contest.next() {
		if e.left <= 0 {
			e.p.protected = min(e.p.protected, e.p.now+1)
			return false
		}
		if _, missing := g.queue.missing(); missing || g.clearance != nil || !e.entitled(g) {
			g.tellShelter(nil)
			continue
		}
		if !e.pauses(g) {
			e.ask(g)
		}
	}
	return true
}

// promise the favoured their places, before anybody else asks: room for several is found where
// none of them takes what others gave up for another.
func (e *eviction) promise() {
	if e.owed {
		e.p.planFor(e.favoured, max(len(e.favoured), e.p.planned))
		e.owed, e.kept = false, map[duty]uint64{}
	}
}

// makeRoom for a gang, if there is somebody who must give way to it.
func (e *eviction) makeRoom(g *gang) bool {
	list := e.p.candidates(g, e.p.now)
	victims, found, ok := e.p.enough(g, list)
	if !ok {
		if e.moveUp(g, list) {
			return true
		}
		g.tellShelter(e.p.shelterFrom(g))
		return false
	}
	e.serve(g, g, victims, found)
	return true
}

// serve a gang with the room found that some leave who give way to it, or to another one for which it is
// in the way.
func (e *eviction) serve(heir, g *gang, victims []leaver, found room) {
	e.p.raise(g)
	to := e.p.clear(heir, len(victims))
	to.room = found
	e.empty(g, victims, to)
	e.favour(heir, victims)
}

// favour a gang, and then those who move for it, in the order in which they were seated.
func (e *eviction) favour(g *gang, victims []leaver) {
	e.favoured, e.owed = append(e.favoured, g), true
	for _, v := range victims {
		if v.ground == ByMove {
			e.favoured = append(e.favoured, v.gang)
		}
	}
}

// empty the places of some who give way to a gang, for the one to which they are cleared.
func (e *eviction) empty(g *gang, victims []leaver, clearance *clearance) {
	g.shelter = nil
	var verdicts []Verdict
	for _, v := range victims {
		verdicts = append(verdicts, e.p.evict(v, g, clearance))
	}
	e.p.gangs[clearance.heir].comes()
	slices.SortFunc(verdicts, func(a, b Verdict) int { return cmp.Compare(a.Gang, b.Gang) })
	e.verdicts = append(e.verdicts, verdicts...)
}

// unplaced says that nothing of the gang is placed.
func (g *gang) unplaced() bool { return !g.any(slot.known) }

// evict a gang, or its surplus, for another one: it gives places back. Their pods
// count until they have ended.
func (p *Picture) evict(l leaver, g *gang, to *clearance) Verdict {
	cause := p.causeOf(l, g)
	why := Reason{Code: Evicted, Text: cause.words(l.gang, g), Cause: cause, Heir: to.heir}
	if to.heir != g.Key {
		why.Text = fmt.Sprintf("to %s, which was to have them next, and then %s", to.heir, why.Text)
	}
	if l.part == surplus {
		return p.giveUp(l, to, why)
	}
	why.Text = "gave its places " + why.Text
	return p.giveWay(l, to, why)
}

// giveWay whole: the gang waits again.
func (p *Picture) giveWay(l leaver, to *clearance, why Reason) Verdict {
	v := l.gang
	for _, n := range p.held(v) {
		p.leaveNode(v, exit{n, to, p.now})
	}
	p.vacate(v)
	for k := range v.sets {
		v.sets[k].resize(v.sets[k].Count)
	}
	v.Started, v.Stopped = 0, p.now
	delete(p.lent, v.Key)
	switch l.ground {
	case ByIdleness:
		v.Stopped = v.idle
	case ByMove, ByRecall:
	default:
		p.relapse(v)
	}
	p.enqueue(v)
	v.told = Verdict{Gang: v.Key, State: Waiting, Reason: &why}
	v.moved, v.explainedAt = false, p.changes
	return v.told
}

// causeOf giving way to a gang.
func (p *Picture) causeOf(l leaver, g *gang) Cause {
	v := l.gang
	switch {
	case l.ground != "":
		return l.ground
	case g.outranks(v):
		return ByPriority
	case v.queue != g.queue && p.owes(v, g):
		return ByGuarantee
	case p.overtook(v, g):
		return ByAge
	}
	return BySurplus
}

// words for a gang that gives way to another one.
func (c Cause) words(v, g *gang) string {
	to := "to " + g.Key
	switch c {
	case ByIdleness:
		return to + ": it had lost a place, and held the others idle"
	case ByRecall:
		return to + ", for which they were kept"
	case ByMove:
		return to + ", which came before it and has waited since, and gets others"
	case ByPriority:
		return fmt.Sprintf("%s, which has priority %d", to, g.Priority)
	case ByGuarantee:
		return to + ", " + g.isGuaranteed("them", v.queue)
	case ByAge:
		return to + ", which came before it and has waited since"
	}
	return "that it can do without " + to
}

// giveUp surplus: the gang goes on without it.
func (p *Picture) giveUp(l leaver, to *clearance, why Reason) Verdict {
	v, gave, extra := l.gang, int32(0), l.gang.spare(l.keep)
	for k := range v.sets {
		left, shed := v.sets[k].shed(extra[k])
		for _, r := range shed {
			n := p.byName[r.node]
			p.book(v, k, n, -r.pods)
			p.relieve(n)
			p.leaveNode(v, exit{n, to, p.now})
			gave += r.pods
		}
		v.sets[k].slots = left
	}
	p.enqueue(v)
	v.triedAt = p.freed + 1 // it grows again when others have had their chance
	why.Text = fmt.Sprintf("runs with %d of %s: gave %s %s", v.count(slot.isHeld), plural(v.count(every), "pod"), plural(gave, "place"), why.Text)
	v.told = Verdict{Gang: v.Key, State: Placed, Placement: v.placement(), Reason: &why}
	v.moved, v.explainedAt = false, p.changes
	return v.told
}
