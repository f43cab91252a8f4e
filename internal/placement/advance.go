// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// Those who would give way to a gang may be the ones on whose end the start of somebody else relies.
// Where the gang would keep their places for longer it must not have them, for that start would be
// delayed (forgo.go); and waiting for both, that they end and that the other one does, could take days
// for the sake of minutes. So the start that stands between them is moved up: those who would give way
// to the gang give way to who was to have their places next, and the gang has them after that.

// moveUp the start of one for whose end a gang waits, where those of a list would give way to the gang but for it.
func (e *eviction) moveUp(g *gang, list []leaver) bool {
	p := e.p
	if g.promise == nil {
		return false
	}
	next := p.between(g, list)
	if len(next) == 0 {
		return false
	}
	if _, _, fits := p.enoughFor(g, list, func() duty { return p.unheeding(g, next) }); !fits {
		return false
	}
	for _, pr := range next {
		relied := slices.DeleteFunc(slices.Clone(list), func(l leaver) bool { return !slices.Contains(pr.after, l.gang.Key) })
		if victims, found, ok := p.enough(pr.gang, relied); ok {
			e.serve(pr.gang, g, victims, found)
			return true
		}
	}
	return false
}

// between a gang and its start are the promises that it waits for, and has to heed even when those are gone
// who would give way to it. Of these it is the ones whose gangs, if they started now, would have ended by the
// moment that they were promised, would be within what is guaranteed to them, and go before all others of their
// queue, so that nobody takes the places back at once. They are in the order of their moments.
func (p *Picture) between(g *gang, list []leaver) []*promise {
	gone := &absence{p: p, list: list}
	gone.first(len(list))
	defer gone.first(0)
	heeds, soonest := p.plan.heeded[p.behind(g).heeded], p.now+leeway
	return slices.DeleteFunc(slices.Clone(p.plan.byTime), func(pr *promise) bool {
		if !heeds[pr.order] || !slices.Contains(g.promise.after, pr.gang.Key) || pr.gang.promise != pr || pr.gang.clearance != nil {
			return true
		}
		_, theirs := apart(g.queue, pr.gang.queue)
		return pr.ends-pr.at > pr.at-soonest || !slices.Contains(pr.gang.claims(withComing), theirs) || p.isOutranked(pr.gang)
	})
}

// isOutranked says that one of its queue waits to which a gang would have to give way.
func (p *Picture) isOutranked(g *gang) bool {
	for _, o := range p.waiting {
		if o.Priority <= g.Priority {
			return false
		}
		if o.queue == g.queue && o.outranks(g) {
			return true
		}
	}
	return false
}

// unheeding some promises is the duty of a gang if it need not heed them.
func (p *Picture) unheeding(g *gang, but []*promise) duty {
	d := p.behind(g)
	set := slices.Clone(p.plan.heeded[d.heeded])
	for _, pr := range but {
		set[pr.order] = false
	}
	return duty{p.plan.heed(set), d.due}
}
