// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// Bounds of Settle.
const (
	// evictors is for how many gangs others give way at a time.
	evictors = 8
	// promises is how many gangs that wait are told when they start.
	promises = 8
)

// Advance and Settle are the cycle of whoever drives a picture, the live scheduler
// and a simulation alike, so that both decide the same. Advance comes after every
// change, and Settle after it as often as its cost allows.

// Advance tells what time it is and decides.
func (p *Picture) Advance(now int64) []Verdict {
	p.Elapse(now)
	return p.Decide()
}

// Settle decides, for something may have happened since, finds who gives way to whom, decides once
// more if anybody does or was held back, and promises the first gangs that wait when they start. Where that
// is at once they do, and where it is later than it was others may meanwhile. The last verdict on
// a gang counts.
func (p *Picture) Settle() []Verdict {
	verdicts := p.Decide()
	gave := p.Evict(evictors)
	if p.settling = true; len(gave) > 0 || len(p.detained) > 0 {
		verdicts = slices.Concat(verdicts, gave, p.letGo())
	}
	p.ripe = false
	if p.Plan(promises); p.ripe {
		verdicts = append(verdicts, p.letGo()...)
	}
	return verdicts
}
