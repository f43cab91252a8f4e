// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"hash/fnv"
	"maps"
)

// To find out whether anybody gives way to a gang is dear, and done for a few gangs at a time.
// Who asked in vain must not keep it from those behind for as long as it waits. So what came
// of it is remembered, for all that are alike, until something happens that could change
// it, or in any case for a while. And gangs take turns: who asked in this round already asks
// again for as long only as half of the others may.

// asking is what gangs have in common of which all ask others in vain to give way, or none.
type asking struct {
	hope
	priority int32
	// alone is the gang where more than its wish and its priority decides who gives way.
	alone *gang
}

// denial is what came of it when somebody asked in vain.
type denial struct {
	shelter *shelter
	// It stands until a moment, and until something else happened than had by then; right is
	// when time alone may make it another one.
	until  int64
	right  int64
	events uint64
	plan   uint64
	// round in which somebody asked last, or would have but for this.
	round uint64
}

// maxDenial is for how many seconds it stands at most: who loses least, and what is promised
// by when, changes with time alone.
const maxDenial = 60

// asking of a gang.
func (p *Picture) asking(g *gang) asking {
	if g.unplaced() && !p.elder(g) {
		return asking{hope: hope{g.queue, wish{shape: g.shape, behind: p.behind(g)}}, priority: g.Priority}
	}
	return asking{alone: g}
}

// print of the plan: what is kept for whom, whenever that is due.
func (p *Picture) print() uint64 {
	hash := fnv.New64a()
	if p.plan != nil {
		for _, promised := range p.plan.promises {
			fmt.Fprintf(hash, "%s:", promised.gang.Key)
			for _, at := range promised.places {
				fmt.Fprintf(hash, "%d %s %d,", at.set, at.node.Name, at.pods)
			}
		}
	}
	return hash.Sum64()
}

// ask on behalf of a gang, and say whether others give way to it.
func (e *eviction) ask(g *gang) bool {
	p, as := e.p, e.p.asking(g)
	d := p.denials[as]
	if d != nil && d.events == p.events && d.plan == e.plan && p.now < d.until {
		d.round = p.round
		p.protected = min(p.protected, d.right)
		g.tellShelter(d.shelter)
		return false
	}
	if d != nil && d.round == p.round {
		if e.again == 0 {
			e.passed = true
			return false
		}
		e.again--
	}
	e.left--
	before := p.protected
	p.protected = e.idleUntil
	made := e.makeRoom(g)
	if delete(p.denials, as); !made {
		right := p.protected
		if at := g.idleSince() + p.stubborn() + 1; p.elder(g) && at > p.now {
			right = min(right, at)
		}
		p.denials[as] = &denial{shelter: g.shelter, until: min(right, p.now+maxDenial), right: right, events: p.events, plan: e.plan, round: p.round}
	}
	p.protected = min(p.protected, before)
	return made
}

// nextRound of asking, in which everybody may ask again; who no longer does is forgotten.
func (p *Picture) nextRound() {
	maps.DeleteFunc(p.denials, func(_ asking, d *denial) bool { return d.round < p.round })
	p.round++
}
