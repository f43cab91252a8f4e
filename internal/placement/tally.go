// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"slices"
)

// tally is how many pods bear each mark, in the order of the marks' numbers; those that nobody
// bears are left out. Where a thousand pods keep apart from one another each bears a thousand
// marks, so that it must be small. It does not change once it is made.
type tally []tallied

type tallied struct{ mark, pods int32 }

// tallyOf so many pods that bear the same marks.
func tallyOf(marks []int32, pods int32) tally {
	t := make(tally, len(marks))
	for i, m := range marks {
		t[i] = tallied{m, pods}
	}
	return t
}

func (t tally) of(mark int32) int32 {
	i, is := slices.BinarySearchFunc(t, mark, func(x tallied, mark int32) int { return cmp.Compare(x.mark, mark) })
	if !is {
		return 0
	}
	return t[i].pods
}

// with both put together, mark by mark.
func (t tally) with(o tally, both func(a, b int32) int32) tally {
	out := make(tally, 0, len(t)+len(o))
	for len(t)+len(o) > 0 {
		next, a, b := int32(0), int32(0), int32(0)
		switch {
		case len(o) == 0 || len(t) > 0 && t[0].mark <= o[0].mark:
			next = t[0].mark
		default:
			next = o[0].mark
		}
		if len(t) > 0 && t[0].mark == next {
			a, t = t[0].pods, t[1:]
		}
		if len(o) > 0 && o[0].mark == next {
			b, o = o[0].pods, o[1:]
		}
		if n := both(a, b); n != 0 {
			out = append(out, tallied{next, n})
		}
	}
	return slices.Clip(out)
}

func (t tally) plus(o tally) tally {
	if len(o) == 0 {
		return t
	}
	return t.with(o, func(a, b int32) int32 { return a + b })
}

func (t tally) minus(o tally) tally {
	if len(o) == 0 {
		return t
	}
	return t.with(o, func(a, b int32) int32 { return a - b })
}

// most of two, mark by mark.
func (t tally) most(o tally) tally {
	switch {
	case len(o) == 0:
		return t
	case len(t) == 0:
		return o
	}
	return t.with(o, func(a, b int32) int32 { return max(a, b) })
}

// without a mark.
func (t tally) without(mark int32) tally {
	if n := t.of(mark); n != 0 {
		return t.minus(tally{{mark, n}})
	}
	return t
}

// among marks that are given in order, how many pods bear each.
func (t tally) among(marks []int32) int {
	pods := 0
	for _, x := range t {
		i, is := slices.BinarySearch(marks, x.mark)
		if marks = marks[i:]; is {
			pods += int(x.pods)
		}
		if len(marks) == 0 {
			break
		}
	}
	return pods
}
