// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"slices"
	"sort"
)

// Who gives way to a gang: candidates in the order in which it costs least, of them the first that
// are enough, and of these the necessary ones.

const (
	// maxVictims bounds the search for gangs that give way to another one.
	maxVictims = 1000
	// maxSpared bounds how many of those found are looked at again.
	maxSpared = 500
)

// victims are what must give way for the gang to fit, of each gang one part, and where it then does; false
// where they cannot.
// There are none where others would have to for it to be within what its queue is guaranteed, but
// there is room beside them: it passes promises as if they had.
func (p *Picture) victims(g *gang) ([]leaver, room, bool) { return p.enough(g, p.candidates(g, p.now)) }

// enough of those who may leave, the first of them before others, for the gang to fit, and where.
func (p *Picture) enough(g *gang, list []leaver) ([]leaver, room, bool) {
	return p.enoughFor(g, list, func() duty { return p.behind(g) })
}

// enoughFor a gang that has such a duty once they are gone.
func (p *Picture) enoughFor(g *gang, list []leaver, behind func() duty) (needed []leaver, found room, ok bool) {
	gone := &absence{p: p, list: list}
	if len(gone.list) == 0 {
		return nil, nil, false
	}
	defer gone.first(0)
	fits := func(d duty) bool { return p.without(gone, d, func() bool { return p.seats(g, gone) }) }
	if count, ok := gone.fewest(func() bool { return fits(behind()) }); !ok || count == 0 {
		return nil, nil, false
	}
	d := behind()
	needed = gone.necessary(func() bool { return fits(d) })
	p.without(gone, d, func() bool {
		found = p.rehearse(g)
		return true
	})
	return needed, found, true
}

// necessary are those of the absent without whom it would not be possible: those that
// lose most are spared first. What spared gangs have stays theirs until first(0). They are
// in the order of the list.
func (a *absence) necessary(possible func() bool) []leaver {
	var needed []leaver
	whole := map[*gang]bool{}
	for i := len(a.left) - 1; i >= 0; i-- {
		l := a.list[i]
		if whole[l.gang] {
			continue // it is already gone with all that it has
		}
		if len(a.left)-i <= maxSpared && a.spare(i, possible) {
			continue
		}
		whole[l.gang] = l.part == everything
		if l.part == surplus && len(a.left)-i <= maxSpared {
			l = a.shrink(i, possible)
		}
		needed = append(needed, l)
	}
	slices.Reverse(needed)
	return needed
}

// spare one of those who are gone, if that is possible.
func (a *absence) spare(i int, possible func() bool) bool {
	a.p.comeBack(a.left[i])
	a.left[i] = departure{}
	if possible() {
		return true
	}
	a.left[i] = a.p.depart(a.list[i])
	return false
}

// shrink a gang by no more pods of its surplus than is necessary.
func (a *absence) shrink(i int, possible func() bool) leaver {
	l := a.list[i]
	most := int32(0)
	for k := range l.gang.sets {
		most = max(most, l.gang.sets[k].count(slot.missing))
	}
	keep := sort.Search(int(most), func(keep int) bool {
		a.p.comeBack(a.left[i])
		a.left[i] = a.p.depart(leaver{gang: l.gang, part: surplus, keep: int32(keep) + 1})
		return !possible()
	})
	l.keep = int32(keep)
	a.p.comeBack(a.left[i])
	a.left[i] = a.p.depart(l)
	return l
}

// candidates to give way to the gang at a moment, if only time passes until then: surplus
// before whole gangs, those first that lose least.
func (p *Picture) candidates(g *gang, at int64) []leaver {
	var all []leaver
	for _, v := range p.holders {
		if v != g {
			all = p.candidate(all, v, g, at)
		}
	}
	slices.SortFunc(all, leaver.compare)
	may := p.willing(all, g)
	return may[:min(len(may), maxVictims)]
}

// candidate adds the parts of a gang that may leave for another one at a moment.
func (p *Picture) candidate(all []leaver, v, g *gang, at int64) []leaver {
	if p.forfeits(v, g) {
		return append(all, leaver{gang: v, part: everything, ground: ByIdleness})
	}
	if until := v.protectedUntil(); at < until {
		p.protected = min(p.protected, until)
		return all
	}
	whole := p.givesWay(v, g)
	if v.stretches() > 0 && v.runs() && some(v.spare(0)) && (whole || v.queue == g.queue && v.Priority == g.Priority) {
		all = append(all, leaver{gang: v, part: surplus}) // which costs it no work
	}
	if whole {
		all = append(all, leaver{gang: v, part: everything, loss: p.loss(v)})
	}
	return all
}

// compare leavers by who is asked first.
func (l leaver) compare(o leaver) int {
	if idle := l.ground == ByIdleness; idle != (o.ground == ByIdleness) {
		return map[bool]int{true: -1, false: 1}[idle]
	}
	return cmp.Or(cmp.Compare(o.part, l.part), cmp.Compare(l.gang.Priority, o.gang.Priority), cmp.Compare(l.loss, o.loss),
		cmp.Compare(o.gang.Started, l.gang.Started), cmp.Compare(l.gang.Key, o.gang.Key))
}

// holds is what the part takes that is asked for by slots; of a gang whose surplus is shed
// before, the rest.
func (l leaver) holds(shed bool) vector {
	pods, spare := l.gang.placed(), l.gang.spare(0)
	switch {
	case l.part == surplus:
		return l.gang.sum(spare)
	case shed:
		for k := range pods {
			pods[k] -= spare[k]
		}
	}
	return l.gang.sum(pods)
}

// loss of a gang that gives way whole: the work since it started, or since its last
// checkpoint, in seconds for each pod or, where it has devices, for each device.
func (p *Picture) loss(g *gang) int64 {
	size := int64(g.count(slot.isHeld))
	devices := int64(0)
	for i, n := range g.sum(g.placed()) {
		if IsDevice(p.names.list[i]) {
			devices += n
		}
	}
	return max(p.now-max(g.Started, g.Checkpointed), 0) * max(size, devices)
}
