// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// DefaultPatience is for how many seconds a gang waits before those that overtook it
// give way.
const DefaultPatience = int64(24 * 60 * 60)

// Elders are gangs that have waited for longer than Picture.Patience. Turns by share,
// and promises by limits that are longer than the runs, keep nobody from waiting for
// days who needs half of the cluster at once while small gangs come all the time. So
// backfilling is on parole: those that came after an elder and started before it give
// way to it, unless they have a higher priority, or their queue is within what it is
// guaranteed; then they move, in the end (move.go). And elders are promised their places next.

// elder says that nothing of the gang has run for longer than there is patience.
func (p *Picture) elder(g *gang) bool {
	return p.Patience > 0 && p.now-g.idleSince() > p.Patience && g.unplaced()
}

// idleSince it came, or stopped.
func (g *gang) idleSince() int64 { return max(g.Created, g.Stopped) }

// ages is when the first of those who wait has waited long enough for a right that it
// does not have yet, or never.
func (p *Picture) ages() int64 {
	next := int64(never)
	if p.Patience <= 0 {
		return next
	}
	for _, g := range p.waiting {
		if g.told.State != Waiting || !g.unplaced() {
			continue
		}
		for _, wait := range []int64{p.Patience, p.stubborn()} {
			if at := g.idleSince() + wait + 1; at > p.now {
				next = min(next, at)
			}
		}
	}
	return next
}

// overtook says that a gang came after an elder, and started before it.
func (p *Picture) overtook(v, g *gang) bool {
	return v.Created > g.Created && v.Priority <= g.Priority && p.elder(g)
}

// elders that wait, the first so many.
func (p *Picture) elders(limit int) []*gang {
	var elders []*gang
	for _, g := range p.waiting {
		if len(elders) == limit {
			break
		}
		if g.told.State != Waiting || g.moved || !p.elder(g) {
			continue
		}
		if _, missing := g.queue.missing(); !missing {
			elders = append(elders, g)
		}
	}
	return elders
}

// askForElder is for the first for whom room can be made. There is one at a time: the next may
// find room when that one has ended.
func (e *eviction) askForElder() {
	elders := e.p.elders(len(e.p.waiting))
	if slices.ContainsFunc(elders, func(g *gang) bool { return g.clearance != nil }) {
		return
	}
	for _, g := range elders {
		if e.left <= 0 {
			e.p.protected = min(e.p.protected, e.p.now+1) // the others have their turn soon
			return
		}
		if !e.pauses(g) && e.ask(g) {
			return
		}
	}
}
