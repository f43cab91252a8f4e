// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

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

// Settle promises the first gangs that wait when they start, finds who gives way to
// those that need not wait so long, and decides once more if that may let anybody in.
// The last verdict on a gang counts.
func (p *Picture) Settle() []Verdict {
	p.Plan(promises)
	verdicts := p.Evict(evictors)
	if len(p.waiting) > 0 {
		verdicts = append(verdicts, p.Decide()...)
	}
	return verdicts
}
