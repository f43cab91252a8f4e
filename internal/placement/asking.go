// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"unique"
)

// To find out whether anybody gives way to a gang is dear, and done for a few gangs at a time.
// Who asked in vain must not keep it from those behind for as long as it waits. So what came
// of it is remembered, for all that are alike, until something happens that could change
// it, or in any case for a while. And gangs take turns: who asked in this round already asks
// again for as long only as half of the others may.

// asking is what gangs have in common of which all ask others in vain to give way, or none.
type asking struct {
	queue *queue
	shape unique.Handle[string]
	// due is how many promises are before they end.
	due      int
	priority int32
	// alone is the gang where more than that decides who gives way.
	alone *gang
}

// denial is what came of it when somebody asked in vain.
type denial struct {
	shelter *shelter
	// It stands until a moment, and until something else happened, or other places were kept
	// from those who asked, than by then; right is when time alone may make it another one.
	until  int64
	right  int64
	events uint64
	kept   uint64
	// round in which somebody asked last, or would have but for this.
	round uint64
}

// maxDenial is for how many seconds it stands at most: who loses least changes with time alone.
const maxDenial = 60

// asking of a gang which has such a duty.
func (p *Picture) asking(g *gang, d duty) asking {
	if g.unplaced() && !p.elder(g) && g.promise == nil {
		return asking{queue: g.queue, shape: g.shape, due: d.due, priority: g.Priority}
	}
	return asking{alone: g}
}

// keptFrom those with a duty is what they must leave, of which nodes and of which limits, in one
// number.
func (e *eviction) keptFrom(d duty) uint64 {
	if kept, known := e.kept[d]; known {
		return kept
	}
	var told []byte
	if pl := e.p.plan; pl != nil {
		for _, pr := range pl.promises { // whose limits they are
			for q := range pr.gang.queue.chain {
				told = append(append(told, q.Name...), '/')
			}
		}
		for _, k := range pl.kept {
			if k.touched != nil {
				told = append(told, k.touched.Name...)
			}
			for _, n := range k.behind[d.heeded][d.due] {
				told = binary.AppendVarint(told, n)
			}
			told = append(told, '/')
		}
	}
	hash := fnv.New64a()
	hash.Write(told)
	e.kept[d] = hash.Sum64()
	return e.kept[d]
}

// ask on behalf of a gang, and say whether others give way to it.
func (e *eviction) ask(g *gang) bool {
	e.promise()
	p, duty := e.p, e.p.behind(g)
	as, kept := p.asking(g, duty), e.keptFrom(duty)
	d := p.denials[as]
	if d != nil && d.events == p.events && d.kept == kept && p.now < d.until {
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
		p.denials[as] = &denial{shelter: g.shelter, until: min(right, p.now+maxDenial), right: right, events: p.events, kept: kept, round: p.round}
	}
	p.protected = min(p.protected, before)
	return made
}

// nextRound of asking, in which everybody may ask again; who no longer does is forgotten.
func (p *Picture) nextRound() {
	maps.DeleteFunc(p.denials, func(_ asking, d *denial) bool { return d.round < p.round })
	p.round++
}
