// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// A gang may have a right to the places of others that run, and still not need them: there is room,
// but for promises to gangs that would have to give way to it as soon as they ran. What was promised
// costs less than what was done, so these promises are put aside, and nobody who runs gives way.

// fitsAside says that a gang fits now, with nobody gone, but for such promises.
func (p *Picture) fitsAside(g *gang) bool {
	if p.plan == nil {
		return false
	}
	d := p.behind(g)
	heeded := slices.Clone(p.plan.heeded[d.heeded])
	aside := false
	for _, pr := range p.plan.promises {
		if heeded[pr.order] && p.givesWay(pr.gang, g) {
			heeded[pr.order], aside = false, true
		}
	}
	if !aside {
		return false
	}
	p.keepBehind(duty{p.plan.heed(heeded), d.due})
	defer p.keepBehind(p.plan.all())
	return p.seats(g, &absence{})
}

// insist that others give way to those who were not promised a start at once, although promises
// were put aside: other favoured gangs came before them, say.
func (e *eviction) insist() bool {
	insists := false
	for _, g := range e.patient {
		if g.promise != nil && g.promise.at <= e.p.now {
			continue
		}
		if victims := e.p.victims(g); len(victims) > 0 {
			e.giveRoom(g, victims)
			insists = true
		}
	}
	return insists
}
