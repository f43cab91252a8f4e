// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package devices

import (
	"math/bits"
	"slices"
)

const (
	// maxKinds is how many classes, and requests narrower than one, are counted at a time.
	maxKinds = 128
	// maxPools bounds how many unions of classes are counted where many overlap. What is
	// beyond is not promised twice by us alone: the default scheduler finds out.
	maxPools = 64
)

// kinds is a set of kinds of devices, by their number. What a device is of, all in one, is
// such a set.
type kinds [maxKinds / 64]uint64

func (k kinds) has(i int) bool { return k[i/64]&(1<<(i%64)) != 0 }

func (k kinds) with(i int) kinds {
	k[i/64] |= 1 << (i % 64)
	return k
}

func (k kinds) without(o kinds) kinds {
	for w := range k {
		k[w] &^= o[w]
	}
	return k
}

func (k kinds) or(o kinds) kinds {
	for w := range k {
		k[w] |= o[w]
	}
	return k
}

func (k kinds) meets(o kinds) bool {
	for w := range k {
		if k[w]&o[w] != 0 {
			return true
		}
	}
	return false
}

func (k kinds) len() int {
	n := 0
	for _, word := range k {
		n += bits.OnesCount64(word)
	}
	return n
}

// compare gives sets an order.
func (k kinds) compare(o kinds) int { return slices.Compare(k[:], o[:]) }

// list of the numbers in the set.
func (k kinds) list() []int {
	var list []int
	for i := range maxKinds {
		if k.has(i) {
			list = append(list, i)
		}
	}
	return list
}

// unions are the sets of kinds whose devices must be counted together, so that numbers
// alone say whether requests can be met at once. There are is what the devices in the cluster
// are of, each different set once.
//
// By Hall's theorem requests can be met when, for any set of kinds, those that ask for one
// of them ask for no more than there are devices of at least one. A set to which a kind is
// added all of whose devices are in already is the stronger of the two, so that only sets are
// needed to which none can be added; and of one that falls into parts without a device in
// common, the parts say as much. What holds for the cluster's devices holds for those of a
// node.
func unions(there []kinds) []kinds {
	var all kinds
	for _, of := range there {
		all = all.or(of)
	}
	var found []kinds
	known := map[kinds]bool{}
	note := func(u kinds) {
		if !known[u] && len(found) < maxPools+maxKinds {
			known[u] = true
			found = append(found, u)
		}
	}
	for _, i := range all.list() {
		note(closed(kinds{}.with(i), all, there))
	}
	for next := 0; next < len(found); next++ {
		for _, i := range touching(found[next], there).list() {
			note(closed(found[next].with(i), all, there))
		}
	}
	slices.SortFunc(found, kinds.compare)
	return found
}

// touching are the kinds outside of a union that have a device in common with it.
func touching(u kinds, there []kinds) kinds {
	var out kinds
	for _, of := range there {
		if of.meets(u) {
			out = out.or(of)
		}
	}
	return out.without(u)
}

// closed adds to a union the kinds all of whose devices are in it.
func closed(u, all kinds, there []kinds) kinds {
	outside := kinds{}
	for _, of := range there {
		if !of.meets(u) {
			outside = outside.or(of)
		}
	}
	return all.without(outside)
}
