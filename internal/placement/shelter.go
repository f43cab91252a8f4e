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
}

// protectedUntil is the moment from which a gang that runs may have to give way.
func (g *gang) protectedUntil() int64 { return g.Started + g.Protected }

// shelter is looked for after nobody was found to give way to the gang, which is told so
// anew if it is another than before.
func (p *Picture) shelter(g *gang) {
	before := g.shelter
	if g.shelter = p.shelterFrom(g); (before == nil) != (g.shelter == nil) || before != nil && *before != *g.shelter {
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
		return cmp.Compare(max(a.gang.protectedUntil(), p.now), max(b.gang.protectedUntil(), p.now))
	})
	var names []string
	until := p.now
	for _, l := range p.enough(g, list) {
		if end := l.gang.protectedUntil(); end > p.now {
			names, until = append(names, l.gang.Key), max(until, end)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &shelter{named(names), until}
}

// sheltersFrom says, at little cost, that some gang would give way that is protected.
func (p *Picture) sheltersFrom(g *gang) bool {
	for _, v := range p.gangs {
		if v != g && v.protectedUntil() > p.now && v.any(slot.isHeld) && p.givesWay(v, g) {
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
func (s *shelter) add(to *Reason) *Reason {
	if s == nil {
		return to
	}
	why := *to
	why.Because = append(slices.Clip(to.Because), Reason{
		Code: InsufficientResources,
		Text: fmt.Sprintf("%s would give way to it, but not before %s (slipway.dev/min-run-time)", s.gangs, time.Unix(s.until, 0).UTC().Format(time.RFC3339)),
	})
	return &why
}
