// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// What somebody frees may be all that another gang lacks to make the rest of its room: others give way to
// it then, at the next settling. Whoever takes that meanwhile would be the first of them, as who has just
// started loses least. So where the picture is settled now and again (Settle), a gang that would have to
// give way at once is held back until then, which is a moment: it starts when those had their chance to
// ask to whom it would, if it still can. So are all who come after it: or else they would take what it
// was not given, and keep it from both.

// maxHeeded bounds what that costs: where there are more nodes, or more gangs hold places, or wait in more
// rows, it is not looked at. So many are not on a cluster so small that one is likely to be in the way of another.
const maxHeeded = 128

// holdsBack a gang that waits for others, or would have to give way at once on the places of a trial.
func (p *Picture) holdsBack(t *trial) bool {
	g := t.g
	switch {
	case !p.settling || g.clearance != nil:
		return false
	case len(p.detained) > 0:
		return p.detain(g, p.detained[0].heldFor)
	case g.Protected > 0 || len(p.holders) > maxHeeded || len(p.nodes) > maxHeeded:
		return false
	}
	leave := t.seat()
	defer leave()
	p.countComing()
	for _, h := range p.askers(g) {
		if p.wouldAsk(h, g) {
			return p.detain(g, h.Key)
		}
	}
	return false
}

// detain a gang until those have asked of whom the other one is the first, if it is not that itself.
func (p *Picture) detain(g *gang, heir string) bool {
	if g.Key == heir {
		return false
	}
	if g.heldFor == "" {
		p.detained = append(p.detained, g)
	}
	g.heldFor = heir
	return true
}

// seat the gang as if the trial were decided, until what it returns is called.
func (t *trial) seat() func() {
	g, started := t.g, t.g.Started
	var slots [][]slot
	for k := range g.sets {
		slots = append(slots, g.sets[k].slots)
	}
	t.fillSlots()
	g.Started = t.p.now
	return func() {
		for k := range g.sets {
			g.sets[k].slots = slots[k]
		}
		g.Started = started
	}
}

// askers are the first of those that wait, in turn, who may ask another one for its places, one of each row.
func (p *Picture) askers(v *gang) []*gang {
	var all []*gang
	rows := 0
	for _, u := range p.users {
		if rows += len(u.rows); rows > maxHeeded {
			return nil
		}
		for _, r := range u.rows {
			g := r.gangs[0]
			if _, missing := g.queue.missing(); !missing && g.clearance == nil && p.pausesUntil(g) <= p.now && p.givesWay(v, g) {
				all = append(all, g)
			}
		}
	}
	slices.SortFunc(all, func(a, b *gang) int { return a.turn.compare(b.turn) })
	return all[:min(len(all), evictors)]
}

// wouldAsk says that room could be made for one gang, and that another one would have to give way.
func (p *Picture) wouldAsk(g, v *gang) bool {
	defer func(at int64) { p.protected = at }(p.protected)
	victims, _, _ := p.victims(g)
	return slices.ContainsFunc(victims, func(l leaver) bool { return l.gang == v })
}

// letGo of those who are held back, and decide: whoever may ask them for their places has asked.
func (p *Picture) letGo() []Verdict {
	for _, g := range p.detained {
		g.heldFor = ""
	}
	p.detained, p.settling = nil, false
	defer func() { p.settling = true }()
	p.freed++
	return p.Decide()
}
