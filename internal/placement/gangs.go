// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"slices"
	"unique"
)

// SetGang tells of a gang, or of what changed about it. A gang that cannot be
// decided on is refused with the reason, and what was known of it is forgotten.
//
// A gang without pod sets wants nothing: it is what is left of one whose pods are ending,
// for whom it gave way, and no decision is made on it.
//
// A change of the counts keeps the places of the ranks that remain. A change of
// what pods ask for gives all places back: the gang is decided anew.
func (p *Picture) SetGang(told Gang) error {
	if err := told.Validate(); err != nil {
		p.DeleteGang(told.Key)
		return err
	}
	old := p.gangs[told.Key]
	g := p.build(told)
	switch {
	case old == nil:
		p.recognise(g)
	case old.reshapes(g):
		p.startOver(g, old)
	default:
		p.inherit(g, old)
		g.amend(old)
	}
	p.gangs[g.Key] = g
	if old != nil {
		g.PromisedAt = 0
		p.forget(old)
		p.events++
	}
	p.retieIfNeeded()
	p.elastic += g.stretches()
	if len(g.sets) > 0 {
		p.enqueue(g)
	}
	p.changes++
	return nil
}

// recognise a gang that is not known yet by what was decided on it earlier.
func (p *Picture) recognise(g *gang) {
	g.restore(g.Placement)
	for _, lender := range g.LentBy {
		p.lent.by(lender, g.Key)
	}
	if g.Promised > 0 {
		p.reminded = append(p.reminded, g)
	}
	p.restoreExits(g)
	p.adoptOutgoing(g)
	for _, l := range p.departing() {
		if slices.ContainsFunc(l.exits, func(e exit) bool { return e.to.heir == g.Key }) {
			if g.clearance == nil {
				p.raise(g)
				p.clear(g, 0)
			}
			g.clearance.gave++
		}
	}
}

// startOver with a gang that asks for something else than before.
func (p *Picture) startOver(g, old *gang) {
	g.Started, g.Stopped = 0, max(g.Stopped, old.Stopped)
	delete(p.lent, g.Key)
	if old.any(slot.isHeld) {
		g.Stopped = p.now
	}
	p.vacate(old)
	p.takeExits(g, old)
}

// DeleteGang gives back what the gang holds; one that was never told of is fine.
func (p *Picture) DeleteGang(key string) {
	if g := p.gangs[key]; g != nil {
		if g.runs() && g.Started > 0 {
			p.past.note(g.Queue, g.Kind, p.now-g.Started)
		}
		p.endFeud(g)
		p.remove(g)
	}
}

func (p *Picture) remove(g *gang) {
	p.vacate(g)
	delete(p.gangs, g.Key)
	delete(p.lent, g.Key)
	p.forget(g)
	p.retieIfNeeded()
	p.changes++
}

// Reseat tells of a gang whose Placement is a fact although the gang is known: it is for
// pods that are alike, whose places whoever told of them has put in another order.
func (p *Picture) Reseat(told Gang) error {
	if g := p.gangs[told.Key]; g != nil {
		p.remove(g)
	}
	return p.SetGang(told)
}

func (p *Picture) build(told Gang) *gang {
	g := &gang{Gang: told, moved: true}
	for i := range told.Sets {
		s := set{PodSet: &told.Sets[i]}
		s.kin = kin{namespace: s.Namespace, labels: s.Labels, apart: p.carry(s.Shape.Apart)}
		s.least = s.Count - s.Optional
		s.resize(s.Count)
		g.sets = append(g.sets, s)
	}
	p.classify(g)
	if p.empty != nil {
		p.enrol(g)
	}
	g.shape = unique.Make(g.describe())
	return g
}

// stretches is 1 for a gang that can do without some of its pods, else 0.
func (g *gang) stretches() int {
	if slices.ContainsFunc(g.sets, func(s set) bool { return s.Optional > 0 }) {
		return 1
	}
	return 0
}

// resize adds ranks without a place at the end of the set.
func (s *set) resize(count int32) {
	if more := count - s.count(every); more > 0 {
		s.slots = append(s.slots, slot{count: more})
	}
}

func every(slot) bool { return true }

// restore the placement as slots whose room is yet to be booked.
func (g *gang) restore(placed []SetPlacement) {
	for k := range g.sets {
		s := &g.sets[k]
		i := slices.IndexFunc(placed, func(p SetPlacement) bool { return p.Set == s.Name })
		if i < 0 {
			continue
		}
		s.slots = nil
		left := s.Count
		for _, run := range placed[i].Slots {
			if run.Count <= 0 || left == 0 {
				break
			}
			n := min(run.Count, left)
			s.slots = append(s.slots, slot{node: run.Node, count: n})
			left -= n
			g.resuming = g.resuming || run.Node != ""
		}
		s.resize(s.Count)
	}
}

// reshapes says that a set of the same name asks for something else now.
func (g *gang) reshapes(next *gang) bool {
	return slices.ContainsFunc(g.sets, func(old set) bool {
		return slices.ContainsFunc(next.sets, func(s set) bool {
			return s.Name == old.Name && (s.class != old.class || s.Topology != old.Topology || s.Spread != old.Spread)
		})
	})
}

// vacate takes all slots back.
func (p *Picture) vacate(g *gang) {
	for k := range g.sets {
		p.cut(g, k, 0)
	}
}

// inherit the places of ranks that remain, now charged to the gang's new queue.
func (p *Picture) inherit(g, old *gang) {
	p.recharge(old, nil, -1)
	defer p.recharge(g, nil, 1)
	old.queue = nil
	g.resuming = old.resuming
	g.clearance, g.idle = old.clearance, old.idle
	if g.isAwaited() && g.shape != old.shape {
		g.clearance.room = nil // It was found for what the gang asked for before.
	}
	p.takeExits(g, old)
	// What it says of its start may be of the turn before this one.
	g.Started, g.Stopped = old.Started, max(g.Stopped, old.Stopped)
	for j := range old.sets {
		k := slices.IndexFunc(g.sets, func(s set) bool { return s.Name == old.sets[j].Name })
		if k < 0 {
			p.cut(old, j, 0)
			continue
		}
		p.cut(old, j, g.sets[k].Count)
		p.remark(g.Key, &old.sets[j], g.sets[k].signs)
		g.sets[k].slots = old.sets[j].slots
		g.sets[k].resize(g.sets[k].Count)
	}
	p.hold(g, old.holds)
	p.hold(old, -old.holds)
}

// cut a set down to its first ranks.
func (p *Picture) cut(g *gang, k int, count int32) {
	s := &g.sets[k]
	for excess := s.count(every) - count; excess > 0; {
		last := &s.slots[len(s.slots)-1]
		n := min(excess, last.count)
		if last.held {
			at := p.byName[last.node]
			p.book(g, k, at, -n)
			p.relieve(at)
			p.drop(at)
		}
		excess -= n
		if last.count -= n; last.count == 0 {
			s.slots = s.slots[:len(s.slots)-1]
		}
	}
}

// forget what was remembered for a gang, its places apart.
func (p *Picture) forget(g *gang) {
	p.elastic -= g.stretches()
	p.dequeue(g)
	p.fulfil(g)
	p.release(g)
	p.leave(g)
	if g.twin != nil {
		p.empty.release(g.twin)
	}
}
