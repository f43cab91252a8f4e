// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
)

const (
	// maxVictims bounds the search for gangs that give way to another one.
	maxVictims = 1000
	// maxSpared bounds how many of those found are looked at again.
	maxSpared = 500
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
	p.endLoans()
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
	if len(e.favoured) > 0 {
		p.planFor(e.favoured, max(len(e.favoured), p.planned))
	}
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
	// who move for it.
	favoured []*gang
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

// makeRoom for a gang, if there is somebody who must give way to it.
func (e *eviction) makeRoom(g *gang) bool {
	victims := e.p.victims(g)
	if len(victims) == 0 {
		g.tellShelter(e.p.shelterFrom(g))
		return false
	}
	e.clear(g, victims)
	return true
}

// clear room for a gang to which some give way.
func (e *eviction) clear(g *gang, victims []leaver) {
	g.shelter = nil
	clearance := e.p.clear(g, len(victims))
	e.favoured = append(e.favoured, g)
	var verdicts []Verdict
	for _, v := range victims {
		verdicts = append(verdicts, e.p.evict(v, g, clearance))
		if v.moves {
			e.favoured = append(e.favoured, v.gang) // in the order in which they were seated
		}
	}
	g.comes()
	slices.SortFunc(verdicts, func(a, b Verdict) int { return cmp.Compare(a.Gang, b.Gang) })
	e.verdicts = append(e.verdicts, verdicts...)
}

// unplaced says that nothing of the gang is placed.
func (g *gang) unplaced() bool { return !g.any(slot.known) }

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

// countComing to each queue.
func (p *Picture) countComing() {
	p.root.coming = nil
	for _, q := range p.queues {
		q.coming = nil
	}
	for _, g := range p.heirs() {
		g.comes()
	}
}

// comes for what it lacks, which counts for its queues as if it had it.
func (g *gang) comes() {
	for q := range g.queue.chain {
		q.coming.plus(g.sum(g.lacks()))
	}
}

// victims are what must give way for the gang to fit, or none; of each gang one part.
func (p *Picture) victims(g *gang) []leaver { return p.enough(g, p.candidates(g, p.now)) }

// enough of those who may leave, the first of them before others, for the gang to fit.
func (p *Picture) enough(g *gang, list []leaver) []leaver {
	gone := &absence{p: p, list: list}
	if len(gone.list) == 0 {
		return nil
	}
	defer gone.first(0)
	fits := func() bool { return p.respecting(g, func() bool { return p.seats(g, gone) }) }
	if count, ok := gone.fewest(fits); !ok || count == 0 {
		return nil
	}
	return gone.necessary(fits)
}

// necessary are those of the absent without whom it would not be possible: those that
// lose most are spared first. What spared gangs have stays theirs until first(0). They are
// in the order of the list.
func (a *absence) necessary(possible func() bool) []leaver {
	var needed []leaver
	whole := map[*gang]bool{}
	for i := len(a.left) - 1; i >= 0; i-- {
		l := a.list[i]
		if whole[l.gang] {
			continue // it is already gone with all that it has
		}
		if len(a.left)-i <= maxSpared && a.spare(i, possible) {
			continue
		}
		whole[l.gang] = l.part == everything
		if l.part == surplus && len(a.left)-i <= maxSpared {
			l = a.shrink(i, possible)
		}
		needed = append(needed, l)
	}
	slices.Reverse(needed)
	return needed
}

// spare one of those who are gone, if that is possible.
func (a *absence) spare(i int, possible func() bool) bool {
	a.p.comeBack(a.left[i])
	a.left[i] = departure{}
	if possible() {
		return true
	}
	a.left[i] = a.p.depart(a.list[i])
	return false
}

// shrink a gang by no more pods of its surplus than is necessary.
func (a *absence) shrink(i int, possible func() bool) leaver {
	l := a.list[i]
	most := int32(0)
	for k := range l.gang.sets {
		most = max(most, l.gang.sets[k].count(slot.missing))
	}
	keep := sort.Search(int(most), func(keep int) bool {
		a.p.comeBack(a.left[i])
		a.left[i] = a.p.depart(leaver{gang: l.gang, part: surplus, keep: int32(keep) + 1})
		return !possible()
	})
	l.keep = int32(keep)
	a.p.comeBack(a.left[i])
	a.left[i] = a.p.depart(l)
	return l
}

// candidates to give way to the gang at a moment, if only time passes until then: surplus
// before whole gangs, those first that lose least.
func (p *Picture) candidates(g *gang, at int64) []leaver {
	var all []leaver
	for _, v := range p.holders {
		if v == g {
			continue
		}
		if p.forfeits(v, g) {
			all = append(all, leaver{gang: v, part: everything, idle: true})
			continue
		}
		if until := v.protectedUntil(); at < until {
			p.protected = min(p.protected, until)
			continue
		}
		whole := p.givesWay(v, g)
		if v.stretches() > 0 && v.runs() && some(v.spare(0)) && (whole || v.queue == g.queue && v.Priority == g.Priority) {
			all = append(all, leaver{gang: v, part: surplus})
		}
		if whole {
			all = append(all, leaver{gang: v, part: everything})
		}
	}
	for i := range all {
		if !all[i].idle {
			all[i].loss = p.loss(all[i])
		}
	}
	slices.SortFunc(all, func(x, y leaver) int {
		a, b := x.gang, y.gang
		if x.idle != y.idle {
			return map[bool]int{true: -1, false: 1}[x.idle]
		}
		return cmp.Or(cmp.Compare(y.part, x.part), cmp.Compare(a.Priority, b.Priority), cmp.Compare(x.loss, y.loss),
			cmp.Compare(b.Started, a.Started), cmp.Compare(a.Key, b.Key))
	})
	may := p.willing(all, g)
	return may[:min(len(may), maxVictims)]
}

// holds is what the part takes that is asked for by slots; of a gang whose surplus is shed
// before, the rest.
func (l leaver) holds(shed bool) vector {
	pods, spare := l.gang.placed(), l.gang.spare(0)
	switch {
	case l.part == surplus:
		return l.gang.sum(spare)
	case shed:
		for k := range pods {
			pods[k] -= spare[k]
		}
	}
	return l.gang.sum(pods)
}

// loss of a gang that gives way: the work since it started, or since its last
// checkpoint, in seconds for each pod or, where it has devices, for each device. It
// goes on without its surplus.
func (p *Picture) loss(l leaver) int64 {
	g := l.gang
	if l.part == surplus {
		return 0
	}
	size := int64(g.count(slot.isHeld))
	devices := int64(0)
	for i, n := range g.sum(g.placed()) {
		if IsDevice(p.names.list[i]) {
			devices += n
		}
	}
	return max(p.now-max(g.Started, g.Checkpointed), 0) * max(size, devices)
}

// givesWay says that one gang must, if there is no room for both, as long as its queue can spare
// it (leaves).
func (p *Picture) givesWay(v, g *gang) bool {
	late := p.overtook(v, g)
	if v.queue == g.queue {
		return late || v.Priority < g.Priority
	}
	return late || p.owes(v, g)
}

// owes says that a gang holds what is guaranteed to another one rather than to it.
func (p *Picture) owes(v, g *gang) bool {
	mine, _ := apart(g.queue, v.queue)
	return mine != nil && mine.guarantees(g, p.countsFor(v))
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

// evict a gang, or its surplus, for another one: it gives places back. Their pods
// count until they have ended.
func (p *Picture) evict(l leaver, g *gang, to *clearance) Verdict {
	v := l.gang
	why, cause := p.grounds(l, g)
	if l.part == surplus {
		return p.giveUp(l, to, Reason{Code: Evicted, Text: why, Cause: cause, Heir: g.Key})
	}
	for _, n := range p.held(v) {
		p.leaveNode(v, exit{n, to, p.now})
	}
	p.vacate(v)
	for k := range v.sets {
		v.sets[k].resize(v.sets[k].Count)
	}
	v.Started, v.Stopped, v.LentBy = 0, p.now, nil
	switch {
	case l.idle:
		v.Stopped = v.idle
	case !l.moves && !l.recalled:
		p.relapse(v)
	}
	p.enqueue(v)
	v.told = Verdict{Gang: v.Key, State: Waiting, Reason: &Reason{Code: Evicted, Text: "gave its places " + why, Cause: cause, Heir: g.Key}}
	v.moved, v.explainedAt = false, p.changes
	return v.told
}

// grounds on which somebody gives way to a gang, in words and as a cause.
func (p *Picture) grounds(l leaver, g *gang) (string, Cause) {
	v := l.gang
	switch {
	case l.idle:
		return fmt.Sprintf("to %s: it had lost a place, and held the others idle", g.Key), ByIdleness
	case l.recalled:
		return fmt.Sprintf("to %s, for which they were kept", g.Key), ByRecall
	case l.moves:
		return fmt.Sprintf("to %s, which came before it and has waited since, and gets others", g.Key), ByMove
	case v.queue == g.queue && v.Priority < g.Priority:
		return fmt.Sprintf("to %s, which has priority %d", g.Key, g.Priority), ByPriority
	case v.queue != g.queue && p.owes(v, g):
		return fmt.Sprintf("to %s, whose project is guaranteed them", g.Key), ByGuarantee
	case p.overtook(v, g):
		return fmt.Sprintf("to %s, which came before it and has waited since", g.Key), ByAge
	}
	return fmt.Sprintf("that it can do without to %s", g.Key), BySurplus
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
