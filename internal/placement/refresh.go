// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"fmt"
	"slices"
)

// Refresh says again why gangs wait where the cluster changed since it was last
// said: for at most so many, those that were looked at longest ago first. It
// returns those with something new to say, and whether there are more to look at.
// Nothing is decided by it; the limit keeps what a busy cluster costs those who
// write answers down independent of how many gangs wait.
func (p *Picture) Refresh(limit int) (news []Verdict, more bool) {
	stalest, more := p.stalest(limit)
	ps := p.pass()
	for _, g := range stalest {
		g.explainedAt = p.changes
		if reason := ps.reason(g, g.told.State); reason.String() != g.told.Reason.String() {
			g.told.Reason = reason
			news = append(news, g.told)
		}
	}
	return news, more
}

// stalest of the gangs that wait, in the order in which they were looked at and then in
// turn, and whether there are more than so many. Thousands may wait; what is kept in
// order meanwhile is no more than is wanted.
func (p *Picture) stalest(limit int) (stalest []*gang, more bool) {
	for _, g := range p.waiting {
		if g.moved || g.explainedAt == p.changes {
			continue
		}
		if limit == 0 {
			return nil, true
		}
		if len(stalest) == limit {
			more = true
			if stalest[limit-1].explainedAt <= g.explainedAt {
				continue
			}
			stalest = stalest[:limit-1]
		}
		i, _ := slices.BinarySearchFunc(stalest, g.explainedAt, func(s *gang, at uint64) int { return cmp.Or(cmp.Compare(s.explainedAt, at), -1) })
		stalest = slices.Insert(stalest, i, g)
	}
	return stalest, more
}

// reason that the gang, or part of it, waits, and why for longer than it was told.
func (ps *pass) reason(g *gang, state State) *Reason {
	why := ps.cause(g, state)
	if state == Waiting {
		return g.late.add(why)
	}
	return why
}

// cause for which the gang, or part of it, waits.
func (ps *pass) cause(g *gang, state State) *Reason {
	if !g.any(slot.missing) {
		return nil
	}
	if state == Placed {
		return ps.p.stunted(g)
	}
	if r := ps.p.refusal(g, g.lacks()); r != nil {
		if r.Code == QuotaExceeded && state == Never && !ps.p.fitsEmpty(g) {
			return ps.p.empty.explainNever(ps.p.twin(g), g.minimum(), g.excesses(g.minimum()))
		}
		return r
	}
	switch lost := g.count(slot.lost); {
	case lost > 0:
		return &Reason{
			Code:    NodeLost,
			Text:    fmt.Sprintf("%s of %d lost %s and no other node can take them", plural(lost, "pod"), g.count(every), ps.p.lostNodes(g)),
			Because: []Reason{*ps.p.explain(g, g.lacks())},
		}
	case g.clearance != nil:
		return &Reason{Code: MakingRoom, Text: plural(g.clearance.gave, "gang") + " gave way to it; it starts when their pods have ended"}
	}
	if !g.unplaced() {
		return ps.p.explain(g, g.lacks())
	}
	if g.heldFor != "" {
		return &Reason{Code: InsufficientResources, Text: "there is room; " + g.heldFor + ", to which others would have to give way there, has its turn first, in a moment"}
	}
	if state == Never {
		return ps.never(g)
	}
	w := ps.wish(g)
	if ps.reasons[w] == nil {
		ps.p.respecting(g, func() bool {
			ps.reasons[w] = ps.p.explain(g, g.lacks())
			return true
		})
	}
	return g.shelter.add(ps.reasons[w], ps.p.now)
}

// never is why a gang that breaks no limit does not fit the empty cluster.
func (ps *pass) never(g *gang) *Reason {
	w := ps.wish(g)
	if ps.reasons[w] == nil {
		ps.reasons[w] = ps.p.empty.explain(ps.p.twin(g), g.minimum())
	}
	return ps.reasons[w]
}

// stunted is why a gang runs with less than all its pods.
func (p *Picture) stunted(g *gang) *Reason {
	need := g.missing()
	for k := range g.sets {
		if g.sets[k].Optional > 0 {
			need[k] = min(need[k], 1) // it would take one
		}
	}
	why := p.refusal(g, need)
	if why == nil {
		why = p.explain(g, need)
	}
	return &Reason{
		Code:    why.Code,
		Text:    fmt.Sprintf("runs with %d of %s", g.count(slot.isHeld), plural(g.count(every), "pod")),
		Because: []Reason{*why},
	}
}

// refusal by the gang's queue, if that is in the way of so many pods more.
func (p *Picture) refusal(g *gang, need []int32) *Reason {
	if r := p.noQueue(g.queue); r != nil {
		return r
	}
	if over := g.excesses(g.minimum()); len(over) > 0 && !g.runs() {
		return tooLow(over)
	}
	var e excess
	// What is kept for the gang itself, and for those behind it, is not in its way.
	if p.respecting(g, func() (over bool) { e, over = g.breaks(need, current); return over }) {
		return e.reason()
	}
	return nil
}

// lostNodes in words, or the room on them where the nodes are still there.
func (p *Picture) lostNodes(g *gang) string {
	var nodes []string
	room := "their room on "
	for _, set := range g.sets {
		for _, s := range set.slots {
			if !s.lost() {
				continue
			}
			if !slices.Contains(nodes, s.node) {
				nodes = append(nodes, s.node)
			}
			if n := p.byName[s.node]; n == nil || !p.keeps(n, set.class) {
				room = ""
			}
		}
	}
	if len(nodes) == 1 {
		return room + "node " + nodes[0]
	}
	return fmt.Sprintf("%s%d nodes such as %s", room, len(nodes), nodes[0])
}

// twin is the gang on the empty cluster, where it is only ever tried.
func (p *Picture) twin(g *gang) *gang {
	if g.twin == nil {
		g.twin = p.empty.build(Gang{Key: g.Key, Sets: g.Sets})
	}
	if g.twin.queue, g.twin.user = nil, nil; g.queue.limitsKinds() {
		g.twin.queue = p.empty.twinOf(g.queue)
		g.twin.user = &user{queue: g.twin.queue}
	}
	return g.twin
}

// twinOf a queue and those above it, of which nothing is used: their limits on kinds of nodes.
func (p *Picture) twinOf(q *queue) *queue {
	if q == nil {
		return nil
	}
	twin := &queue{Queue: q.Queue, parent: p.twinOf(q.parent)}
	for _, l := range q.quotas {
		if l.kind != 0 && l.Limit != Unlimited {
			twin.quotas = append(twin.quotas, quota{l.Quota, p.names.of(l.Resource), p.kinds.of(l.Kind)})
		}
	}
	return twin
}

// maxFitting bounds the memory of fitsEmpty.
const maxFitting = 1 << 16

// fitsEmpty says whether the gang would fit if it had the cluster to itself. A
// cluster without nodes is one that is not there yet, and says nothing.
func (p *Picture) fitsEmpty(g *gang) bool {
	if len(p.nodes) == 0 {
		return true
	}
	if p.fittingFacts != p.facts || len(p.fitting) > maxFitting {
		clear(p.fitting)
		p.fittingFacts = p.facts
	}
	fits, known := p.fitting[g.shape]
	if !known {
		t := p.empty.trial(p.twin(g), g.minimum())
		fits = t.place(t.sequence())
		t.cancel()
		p.fitting[g.shape] = fits
	}
	return fits
}
