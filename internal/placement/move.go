// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// An elder may wait on although all that is guaranteed to others would fit beside it:
// those that are within a guarantee, and do not give way, are scattered over the nodes
// that it needs whole. For one that has waited for half of the patience again they
// move: they give way as soon as it and all of them can be seated at once, and are
// promised these places next. So they lose what they did since their last checkpoint, and
// their queue goes on having what it is guaranteed. Whoever gets between is asked to give
// way to them like anybody who borrowed.

// stirs says that others move for the gang.
func (p *Picture) stirs(g *gang) bool { return p.elder(g) && p.now-g.idleSince() > p.stubborn() }

// stubborn is for how long an elder has waited for whom others move.
func (p *Picture) stubborn() int64 { return p.Patience + p.Patience/2 }

// willing are those of the candidates who may leave in their order: their queues
// go on having what they are guaranteed, or they move.
func (p *Picture) willing(all []leaver, g *gang) []leaver {
	taken, stirs, shed := map[*queue]vector{}, p.stirs(g), map[*gang]bool{}
	var willing []leaver
	for _, l := range all {
		// Who gives way gets no place again before its queue is there, nor any at once where pods of its
		// have yet to leave.
		_, stays := l.gang.queue.missing()
		stays = stays || len(l.gang.exits) > 0
		switch spared := p.leaves(l, l.holds(shed[l.gang]), g, taken); {
		case spared, l.ground == ByIdleness:
		case stirs && !stays && l.part == everything && p.overtook(l.gang, g):
			l.ground = ByMove
		default:
			continue
		}
		shed[l.gang] = shed[l.gang] || l.part == surplus
		willing = append(willing, l)
	}
	return willing
}

// seats says that there are places for the gang, and then for those that are gone and
// only move.
func (p *Picture) seats(g *gang, gone *absence) bool {
	var seated []*trial
	defer func() {
		for _, t := range slices.Backward(seated) {
			t.cancel()
		}
	}()
	seat := func(g *gang) bool {
		t := p.trial(g, g.lacks())
		seated = append(seated, t)
		_, over := t.overLimit()
		return !over && t.place(t.sequence())
	}
	if !seat(g) {
		return false
	}
	for i, d := range gone.left {
		if d.gang != nil && gone.list[i].ground == ByMove && !seat(d.gang.afresh()) {
			return false
		}
	}
	return true
}

// afresh is the gang as it would be if it had no place yet.
func (g *gang) afresh() *gang {
	next := *g
	next.sets = slices.Clone(g.sets)
	for k := range next.sets {
		s := &next.sets[k]
		s.slots = []slot{{count: s.count(every)}}
	}
	return &next
}
