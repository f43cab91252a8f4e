// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unique"
)

// turn orders gangs.
type turn struct {
	priority int32
	repair   bool
	created  int64
	key      string
}

func (t turn) compare(o turn) int {
	if c := cmp.Compare(o.priority, t.priority); c != 0 {
		return c
	}
	if t.repair != o.repair {
		return map[bool]int{true: -1, false: 1}[t.repair]
	}
	return cmp.Or(cmp.Compare(t.created, o.created), cmp.Compare(t.key, o.key))
}

func (p *Picture) find(t turn) (int, bool) {
	return slices.BinarySearchFunc(p.waiting, t, func(g *gang, t turn) int { return g.turn.compare(t) })
}

func (p *Picture) enqueue(g *gang) {
	p.dequeue(g)
	g.turn = turn{g.Priority, g.broken(), g.Created, g.Key}
	p.enqueued++
	g.queued, g.triedAt, g.since = true, 0, p.enqueued
	i, _ := p.find(g.turn)
	p.waiting = slices.Insert(p.waiting, i, g)
	p.lineUp(g)
	p.came = append(p.came, g)
}

func (p *Picture) dequeue(g *gang) {
	if g.queued {
		i, _ := p.find(g.turn)
		p.waiting = slices.Delete(p.waiting, i, i+1)
		p.stepOut(g)
		g.queued = false
	}
}

// describe a gang so that those with the same description get the same answer.
func (g *gang) describe() string {
	var b strings.Builder
	if g.queue != nil && g.queue.limitsKinds() {
		fmt.Fprintf(&b, "%q\n", g.Queue)
	}
	for _, s := range g.sets {
		fmt.Fprintf(&b, "%s %d %d %t %q %s\n", s.Name, s.Count, s.Optional, s.Spread, s.Topology, s.class.key)
	}
	return b.String()
}

// pass is one run of Decide or Refresh, in which the same shape is answered once.
type pass struct {
	p *Picture
	// failed shapes, by how many promises they had to respect; hopeless are those that
	// failed in a queue, for whatever reason.
	failed   map[wish]bool
	hopeless map[hope]bool
	reasons  map[wish]*Reason
}

func (p *Picture) pass() *pass {
	return &pass{p, map[wish]bool{}, map[hope]bool{}, map[wish]*Reason{}}
}

// Decide tries all gangs that wait and may fit now, and answers those whose
// answer is new: in particular each gang that was told of or lost a node. The last
// answer to a gang counts. Why the others wait may have changed too; see Refresh.
func (p *Picture) Decide() []Verdict {
	var verdicts []Verdict
	if p.resume() {
		p.planFor(nil, max(len(p.heirs()), p.planned, promises)) // before others take what was given up for them
		verdicts = p.completeClearances()
	}
	p.review()
	if len(p.reminded) > 0 {
		p.Plan(max(p.planned, promises))
	}
	for {
		if p.plan != nil && p.plan.stale {
			p.reckon()
		}
		p.drawn = false
		verdicts = append(verdicts, p.decideOnce()...)
		stale := p.plan != nil && p.plan.stale
		if !stale && !p.drawn {
			return verdicts
		}
		// A promise was fulfilled, or a place taken that others want to be near to, which may
		// leave room to those who were tried before.
		p.freed++
	}
}

func (p *Picture) decideOnce() []Verdict {
	ps := p.pass()
	var tried, placed []*gang
	contest := ps.contest()
	for g := contest.next(); g != nil; g = contest.next() {
		p.respecting(g, func() bool { return ps.start(g) })
		tried = append(tried, g)
	}
	p.judgedFacts = p.facts
	p.grow(tried)
	var verdicts []Verdict
	for _, g := range tried {
		if g.queued = g.any(slot.missing); !g.queued {
			placed = append(placed, g)
		}
		if v, news := ps.judge(g); news {
			verdicts = append(verdicts, v)
		}
	}
	p.part(placed)
	for _, g := range tried {
		p.regroup(g)
	}
	// They wait to grow only, which is no reason to go before others.
	for _, g := range tried {
		if g.queued && g.turn.repair && !g.broken() {
			p.enqueue(g)
		}
	}
	return verdicts
}

// contest of the gangs that wait and may fit now: of all of them when something was freed
// since the last pass, and otherwise of those that came since.
func (ps *pass) contest() *contest {
	p, freed := ps.p, ps.p.freed
	passesOver := p.judgedFacts == p.facts // or else some may never fit any more, or fit again
	tryable := func(g *gang) bool { return g.moved || g.triedAt <= freed }
	var c *contest
	if freed == p.triedAll {
		c = p.contestOf(p.arrivals(), tryable)
	} else {
		p.triedAll = freed
		c = p.contestOf(slices.Concat(p.repairs, p.singular()), tryable)
		c.enterRows(func(g *gang) bool { return !g.singular() && g.triedAt <= freed },
			func(r *row) bool { return !passesOver || !r.isStuck() })
	}
	p.came = nil
	if passesOver {
		c.hopeless = ps.noHope
	}
	return c
}

// singular gangs get an answer of their own: there is something to tell about them, or they
// were promised a start.
func (g *gang) singular() bool { return g.moved || g.promise != nil }

// singular gangs that wait in rows, in turn.
func (p *Picture) singular() []*gang {
	var all []*gang
	for _, g := range slices.Concat(p.arrivals(), p.promised(nil)) {
		if g.row != nil && g.singular() {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b *gang) int { return a.turn.compare(b.turn) })
	return slices.Compact(all)
}

// arrivals are those that came since the last pass and still wait, in turn.
func (p *Picture) arrivals() []*gang {
	p.came = slices.DeleteFunc(p.came, func(g *gang) bool { return !g.queued })
	slices.SortFunc(p.came, func(a, b *gang) int { return a.turn.compare(b.turn) })
	p.came = slices.Compact(p.came)
	return p.came
}

// maxSingly is up to how many gangs are taken out of those that wait one by one.
const maxSingly = 64

// part with gangs that wait no more.
func (p *Picture) part(placed []*gang) {
	for _, g := range placed {
		p.stepOut(g)
	}
	if len(placed) > maxSingly {
		p.waiting = slices.DeleteFunc(p.waiting, func(g *gang) bool { return !g.queued })
		return
	}
	for _, g := range placed {
		i, _ := p.find(g.turn)
		p.waiting = slices.Delete(p.waiting, i, i+1)
	}
}

// resume books the placements decided earlier, all of them before anything else
// is decided, and those under which pods may be running first of all: they are
// there, whatever the picture says. It returns whether room is being made that a plan is yet to
// keep for somebody.
func (p *Picture) resume() bool {
	arrivals := p.arrivals()
	for _, waits := range []bool{false, true} {
		for _, g := range arrivals {
			if g.resuming && g.Waits == waits {
				g.resuming = false
				p.reclaim(g)
			}
		}
	}
	return p.resumeClearances()
}

func (p *Picture) reclaim(g *gang) {
	p.events++
	if g.Waits {
		g.idle = g.Stopped // if it lost a place, that was then
	}
	for k := range g.sets {
		c := g.sets[k].class
		for j := range g.sets[k].slots {
			s := &g.sets[k].slots[j]
			n := p.byName[s.node]
			if s.fresh() || n == nil || !p.keeps(n, c) || !c.countable(s.count) {
				continue
			}
			if s.held = !g.Waits || p.roomy(g, k, n, s.count); s.held {
				p.book(g, k, n, s.count)
				p.doubt(n)
			}
		}
	}
}

// countable says that so many pods of the class can be added up.
func (c *class) countable(pods int32) bool {
	return !slices.ContainsFunc(c.requests, func(r amount) bool { return r.n > maxQuantity/int64(pods) })
}

// start a gang that does not run, or change nothing.
func (ps *pass) start(g *gang) bool {
	if !g.any(slot.missing) || g.runs() {
		return true
	}
	whole, wish := g.unplaced(), ps.wish(g)
	var found *trial // which is given to it if it is not held back
	seek := func() bool {
		found = ps.p.seek(g, g.lacks())
		return found != nil
	}
	switch {
	case whole && ps.failed[wish], ps.held(g, whole):
	case ps.p.elsewhere(g, seek):
		if whole && ps.p.holdsBack(found) {
			found.cancel()
			break
		}
		found.commit()
		if wish.behind.heeded > 0 {
			ps.p.passBy(g, ps.p.plan.heeded[wish.behind.heeded])
		}
		return true
	case whole && ps.p.startOnRecall(g, wish):
		return true
	case whole && len(g.exits) == 0:
		ps.failed[wish] = true
	}
	if whole && len(g.exits) == 0 { // or else it says nothing of those like it
		ps.hopeless[hope{g.queue, wish}] = true
	}
	g.triedAt = ps.p.freed + 1
	return false
}

// noHope is for a gang like one of its queue that failed in this pass, in which room
// and limits only become less. Nothing is new about it either.
func (ps *pass) noHope(g *gang) bool {
	return !g.moved && ps.hopeless[hope{g.queue, ps.wish(g)}] && g.unplaced()
}

// wish is a shape, and which promises stand before it, and do if it starts on recall.
type wish struct {
	shape            unique.Handle[string]
	behind, onRecall duty
}

// hope is a wish of the gangs of a queue.
type hope struct {
	queue *queue
	wish  wish
}

func (ps *pass) wish(g *gang) wish {
	d := ps.p.behind(g)
	return wish{g.shape, d, ps.p.lentTo(g, d)}
}

// held back are gangs that their queue keeps from starting. Their row remembers the limit.
func (ps *pass) held(g *gang, whole bool) bool {
	if _, missing := g.queue.missing(); missing {
		return true
	}
	e, over := g.breaks(g.lacks(), current)
	if over && whole && g.row != nil {
		g.row.stuck = e
	}
	return whole && over
}

// judge makes the verdict on a gang that was tried, and says whether it is news.
func (ps *pass) judge(g *gang) (Verdict, bool) {
	runs := g.runs() || !g.any(slot.missing)
	if ps.p.noteIdle(g); runs {
		ps.p.settle(g)
	}
	state := Placed
	switch {
	case runs:
	case !g.unplaced(), g.fitsLimits() && ps.p.fitsEmpty(g):
		state = Waiting
	default:
		state = Never
	}
	if !g.moved && g.told.State == state {
		return g.told, false
	}
	g.told = Verdict{Gang: g.Key, State: state, Placement: g.placement(), Reason: ps.reason(g, state), LentBy: ps.p.LentBy(g.Key)}
	g.moved, g.explainedAt = false, ps.p.changes
	return g.told, true
}

// settle a gang that runs: what was done for it to start is done with.
func (p *Picture) settle(g *gang) {
	p.fulfil(g)
	g.clearance, g.shelter, g.late, g.passedBy, g.Unfinished = nil, nil, nil, "", false
	if g.Started == 0 {
		g.Started = p.now
	}
}
