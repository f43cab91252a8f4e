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
		if k.touched != nil && !on[k.touched] || !k.owes(pl, d) {
			continue
		}
		again := keeping{owed: k.owed, freed: k.givenBack(pl, whole)}
		if kept := again.leave(pl, pl.heeded[d.heeded])[d.due]; !slices.Equal(*k.what, kept) {
			*k.what = kept
			if p.shares++; k.touched != nil {
				p.touch(k.touched)
			}
		}
	}
}

// owes says that any of the promises of a duty takes something of it.
func (k *keeping) owes(pl *plan, d duty) bool {
	for i, pr := range pl.byTime[:d.due] {
		if pl.heeded[d.heeded][pr.order] && !k.owed[i].zero() {
			return true
		}
	}
	return false
}
