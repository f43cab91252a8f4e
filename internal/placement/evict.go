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
	maxSpared = 200
)

// Evict makes room for the first gangs that wait and have a right to it, at most so
// many, and returns the verdicts on the gangs that give way: they wait again, and
// the places are promised to the one that they make room for.
//
// Within a queue a gang gives way to one of higher priority. Between queues one that
// would stay within what it is guaranteed takes back what others borrowed, as long
// as they use more than they are guaranteed. Gangs give way whole, those first that
// lose least by it, and none in its protected time.
func (p *Picture) Evict(limit int) []Verdict {
	contest := p.contest(func(g *gang) bool {
		return g.told.State == Waiting && !g.moved && g.victims == 0 && g.whole()
	})
	var verdicts []Verdict
	for g := contest.next(); g != nil && limit > 0; g = contest.next() {
		if _, missing := g.queue.missing(); missing || !g.entitled() {
			continue
		}
		limit--
		victims := p.victims(g)
		for _, v := range victims {
			verdicts = append(verdicts, p.evict(v, g))
		}
		if len(victims) > 0 {
			g.victims = len(victims)
			p.favoured = append(p.favoured, g)
		}
	}
	if len(p.favoured) > 0 {
		p.Plan(max(len(p.favoured), p.planned))
	}
	return verdicts
}

// whole says that nothing of the gang is placed.
func (g *gang) whole() bool { return g.count(slot.fresh) == g.count(every) }

// entitled says that there may be somebody who must give way: a quick answer for
// the many gangs that have no such right.
func (g *gang) entitled() bool {
	if g.Priority > 0 {
		return true
	}
	for q := range g.queue.chain {
		if q.guarantees(g) {
			return true
		}
	}
	return false
}

// guarantees says that the queue is guaranteed something that the gang asks for,
// and that with the gang it would use no more than that of anything guaranteed.
func (q *queue) guarantees(g *gang) bool {
	some := false
	for _, l := range q.quotas {
		asks := g.asks(g.needs(slot.fresh), l.at)
		if l.Guaranteed == 0 || asks == 0 {
			continue
		}
		if q.used.of(l.kind, l.at)+asks > l.Guaranteed {
			return false
		}
		some = true
	}
	return some
}

// victims are the gangs that must give way for the gang to fit, or none.
func (p *Picture) victims(g *gang) []*gang {
	candidates := p.candidates(g)
	if len(candidates) == 0 {
		return nil
	}
	gone := 0
	give := func(count int) {
		for ; gone < count; gone++ {
			p.hide(candidates[gone])
		}
		for ; gone > count; gone-- {
			p.unhide(candidates[gone-1])
		}
	}
	defer give(0)
	fits := func() bool { return p.rehearse(g) != nil }
	if give(len(candidates)); !fits() {
		return nil
	}
	count := 1 + sort.Search(len(candidates)-1, func(k int) bool {
		give(k + 1)
		return fits()
	})
	give(count)
	if !fits() {
		return nil
	}
	return p.necessary(candidates[:count], fits)
}

// necessary are the victims without whom it would not fit: those that lose most are
// spared first. All of them are hidden, and are again afterwards.
func (p *Picture) necessary(victims []*gang, fits func() bool) []*gang {
	var needed, spared []*gang
	for i, v := range slices.Backward(victims) {
		if len(victims)-i > maxSpared {
			needed = append(needed, victims[:i+1]...)
			break
		}
		p.unhide(v)
		if fits() {
			spared = append(spared, v)
			continue
		}
		p.hide(v)
		needed = append(needed, v)
	}
	for _, v := range spared {
		p.hide(v)
	}
	slices.SortFunc(needed, func(a, b *gang) int { return cmp.Compare(a.Key, b.Key) })
	return needed
}

// candidates to give way to the gang, those first that lose least.
func (p *Picture) candidates(g *gang) []*gang {
	var all []*gang
	for _, v := range p.gangs {
		if v != g && v.any(slot.isHeld) && p.now >= v.Started+v.Protected && p.givesWay(v, g) {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(a, b *gang) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(p.loss(a), p.loss(b)),
			cmp.Compare(b.Started, a.Started), cmp.Compare(a.Key, b.Key))
	})
	taken := map[*queue]vector{}
	all = slices.DeleteFunc(all, func(v *gang) bool { return !p.leaves(v, g, taken) })
	return all[:min(len(all), maxVictims)]
}

// loss of a gang that gives way: the work since it started, or since its last
// checkpoint, in seconds for each pod or, where it has devices, for each device.
func (p *Picture) loss(g *gang) int64 {
	size := int64(g.count(slot.isHeld))
	devices := int64(0)
	for i, n := range g.sum(slot.isHeld) {
		if isDevice(p.names.list[i]) {
			devices += n
		}
	}
	return max(p.now-max(g.Started, g.Checkpointed), 0) * max(size, devices)
}

// givesWay says that one gang must, if there is no room for both.
func (p *Picture) givesWay(v, g *gang) bool {
	if v.queue == g.queue {
		return v.Priority < g.Priority
	}
	mine, theirs := apart(g.queue, v.queue)
	if mine == nil || !mine.guarantees(g) {
		return false
	}
	return theirs == nil || theirs.borrows(g)
}

// borrows says that the queue uses more than it is guaranteed of something that the
// gang asks for.
func (q *queue) borrows(g *gang) bool {
	named := map[int]bool{}
	for _, l := range q.quotas {
		named[l.at] = true
		if g.asks(g.needs(slot.fresh), l.at) > 0 && q.used.of(l.kind, l.at) > l.Guaranteed {
			return true
		}
	}
	for _, s := range g.sets {
		for _, r := range s.class.requests {
			if !named[r.at] && q.used.of(0, r.at) > 0 {
				return true
			}
		}
	}
	return false
}

// leaves says that the queues of a victim still use more than they are guaranteed of
// something that the gang asks for, without those taken before, up to the queue that
// it shares with the gang. With a gang that is partly within its queue's guarantee
// that queue may be left less: gangs give way whole.
func (p *Picture) leaves(v, g *gang, taken map[*queue]vector) bool {
	holds := v.sum(slot.isHeld)
	for q := range v.queue.chain {
		if g.queue.under(q) {
			break
		}
		guaranteed, borrows := false, false
		for _, l := range q.quotas {
			if holds.at(l.at) > 0 && g.asks(g.needs(slot.fresh), l.at) > 0 {
				guaranteed = true
				borrows = borrows || q.used.of(l.kind, l.at)-taken[q].at(l.at) > l.Guaranteed
			}
		}
		if guaranteed && !borrows {
			return false
		}
	}
	for q := range v.queue.chain {
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

// evict a gang for another one: it gives its places back. Its pods count until
// they have ended.
func (p *Picture) evict(v, g *gang) Verdict {
	for n := range p.under(v) {
		v.leaving = append(v.leaving, n)
	}
	p.vacate(v)
	for k := range v.sets {
		v.sets[k].resize(v.sets[k].Count)
	}
	v.Started = 0
	p.enqueue(v)
	why := fmt.Sprintf("gave its places to %s, whose project is guaranteed them", g.Key)
	if v.queue == g.queue {
		why = fmt.Sprintf("gave its places to %s, which has priority %d", g.Key, g.Priority)
	}
	v.told = Verdict{Gang: v.Key, State: Waiting, Reason: &Reason{Code: Evicted, Text: why}}
	v.moved, v.explainedAt = false, p.changes
	return v.told
}
