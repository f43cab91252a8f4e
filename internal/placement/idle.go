// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

// What a gang holds that lost a place is idle until it finds another one. Two of them could
// wait for each other's places for ever, and one whose node never comes back, or whose
// project's limit was made lower than it is, could keep its other places from everybody. So
// they are kept for it for a while, but not from those that also lost a place and go first.
// While others' pods end that gave way to it, it waits for that alone, and keeps what it has:
// or else they, or anybody, would take that, and have given way in vain.

// defaultKeepIdle is for how many seconds a gang that lost a place keeps the others from
// those that wait: a machine has started again by then.
const defaultKeepIdle = 10 * 60

// noteIdle since when a gang holds places and does not run.
func (p *Picture) noteIdle(g *gang) {
	switch {
	case g.Loose || !g.broken():
		g.idle = 0
	case g.idle == 0:
		g.idle = p.now
	}
}

// forfeits says that what a gang holds is idle, and another one may have it.
func (p *Picture) forfeits(v, g *gang) bool {
	if !v.broken() || v.idle == 0 || v.clearance != nil {
		return false
	}
	return p.now-v.idle >= p.keepIdle || g.broken() && g.turn.compare(v.turn) < 0
}

// countIdle gangs, which any gang may have a right to, and those that another one has that
// lost a place; and note when the next is kept no longer. Since when a gang is idle is not
// known before Decide: then that is asked again at once.
func (p *Picture) countIdle() (idlers, broken int) {
	for _, g := range p.repairs {
		if g.Loose || g.holds == 0 || g.clearance != nil {
			continue
		}
		broken++
		if until := g.idle + p.keepIdle; g.idle == 0 || p.now < until {
			p.protected = min(p.protected, max(until, p.now+1))
		} else {
			idlers++
		}
	}
	return idlers, broken
}
