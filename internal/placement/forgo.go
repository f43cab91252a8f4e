// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// A promise relies on those who end before it. Who gives way to somebody else frees nothing later:
// what is promised then needs all the more of what is left. So whether others give way to a gang
// is asked of what promises leave to it once they are gone. Or else the gang would delay a promise
// that it must not delay, or wait for it, and those would have gone in vain.

// without those who are gone, do something that respects the promises of a duty.
func (p *Picture) without(gone *absence, d duty, do func() bool) bool {
	if p.plan == nil {
		return do()
	}
	p.keepBehind(d)
	p.forgo(gone, d)
	defer func() { p.keepBehind(p.plan.all()) }()
	return do()
}

// forgo what those who are gone would have given back by the moments of the promises of a duty.
func (p *Picture) forgo(gone *absence, d duty) {
	pl, whole, on := p.plan, map[*gang]bool{}, map[*node]bool{}
	for i, left := range gone.left {
		if left.gang == nil {
			continue
		}
		whole[left.gang] = whole[left.gang] || gone.list[i].part == everything
		for _, at := range left.accounts {
			on[at.node] = true
		}
	}
	for _, k := range pl.kept {
		if k.touched != nil && !on[k.touched] {
			continue
		}
		if kept := k.leaveWithout(pl, d, whole); !slices.Equal(*k.what, kept) {
			*k.what = kept
			if p.shares++; k.touched != nil {
				p.touch(k.touched)
			}
		}
	}
}

// leaveWithout some gangs who are gone is what those with a duty must leave, as keeping.leave says of
// all duties. Only the moments of promises that take something, or wait for room, are looked at:
// what must be left is at its largest at one of them.
func (k *keeping) leaveWithout(pl *plan, d duty, gone map[*gang]bool) vector {
	var most vector
	heeds := pl.heeded[d.heeded]
	for i, pr := range pl.byTime[:d.due] {
		if !heeds[pr.order] || k.owed[i].zero() && pr.gang.clearance == nil {
			continue
		}
		if total := k.owedBy(pl, i, heeds); !total.zero() {
			most = most.least(total, k.freedWithout(pl, i, gone))
		}
	}
	return most
}

// freedWithout some gangs is what is given back by the moment of a promise.
func (k *keeping) freedWithout(pl *plan, i int, gone map[*gang]bool) vector {
	if pl.byTime[i].gang.clearance != nil {
		return k.cleared(pl.byTime[i+1:])
	}
	var freed vector
	for _, e := range k.endings {
		if e.at > pl.byTime[i].at {
			break
		}
		if e.part != everything || !gone[e.gang] {
			freed.plus(k.frees(e.leaver))
		}
	}
	return freed
}
