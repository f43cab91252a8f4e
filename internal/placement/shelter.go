// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// shelter is what keeps gangs from giving way to one that has a right to it: the time for
// which they are protected. It decides nothing; it is told to the one that waits.
type shelter struct {
	// gangs that would have to, as words; until is when the last of them may.
	gangs string
	until int64
	// relapses is how often it gave way itself after others had: it is that, and nobody's
	// protection, for which it waits. Zero is for none.
	relapses int
}

// protectedUntil is the moment up to which a gang that runs gives way to nobody.
func (g *gang) protectedUntil() int64 { return g.Started + g.Protected }

// protectedUntil is that moment for a leaver; what is idle is not protected.
func (l leaver) protectedUntil() int64 {
	if l.ground == ByIdleness {
		return 0
	}
	return l.gang.protectedUntil()
}

// tellShelter is told to a gang from now on, and soon if it is another than before; nil is
// nothing to tell.
func (g *gang) tellShelter(next *shelter) {
	before := g.shelter
	if g.shelter = next; (before == nil) != (next == nil) || before != nil && *before != *next {
		g.explainedAt = 0
	}
}

// shelterFrom the gang, or nil where others would not have to give way even if they were not
// protected. Of those who would it counts who is protected for the shortest time.
func (p *Picture) shelterFrom(g *gang) *shelter {
	if !p.sheltersFrom(g) {
		return nil
	}
	list := p.candidates(g, never)
	slices.SortStableFunc(list, func(a, b leaver) int {
		return cmp.Compare(max(a.protectedUntil(), p.now), max(b.protectedUntil(), p.now))
	})
	var names []string
	until := p.now
	needed, _, _ := p.enough(g, list)
	for _, l := range needed {
		if end := l.protectedUntil(); end > p.now {
			names, until = append(names, l.gang.Key), max(until, end)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &shelter{gangs: named(names), until: until}
}

// sheltersFrom says, at little cost, that some gang would give way that is protected.
func (p *Picture) sheltersFrom(g *gang) bool {
	for _, v := range p.holders {
		if v != g && v.protectedUntil() > p.now && p.givesWay(v, g) {
			return true
		}
	}
	return false
}

// maxSheltered gangs are named.
const maxSheltered = 3

// named gangs, the first few of them: "a, b, c and 2 more".
func named(keys []string) string {
	if more := len(keys) - maxSheltered; more > 0 {
		keys = append(slices.Clone(keys[:maxSheltered]), fmt.Sprintf("%d more", more))
	}
	return enumerate(keys)
}

// add what others are told to the reason, which may be that of other gangs, too.
func (s *shelter) add(to *Reason, now int64) *Reason {
	if s == nil || s.until <= now {
		return to
	}
	why := *to
	why.Because = append(slices.Clip(to.Because), Reason{Code: InsufficientResources, Text: s.text()})
	return &why
}

func (s *shelter) text() string {
	until := time.Unix(s.until, 0).UTC().Format(time.RFC3339)
	if s.relapses > 0 {
		return fmt.Sprintf("others gave way to it %s, and it gave way itself each time: it asks them again at %s", plural(s.relapses, "time"), until)
	}
	return fmt.Sprintf("%s would give way to it, but not before %s (slipway.dev/min-run-time)", s.gangs, until)
}
