// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package devices

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func of(numbers ...int) kinds {
	var k kinds
	for _, i := range numbers {
		k = k.with(i)
	}
	return k
}

func TestUnions(t *testing.T) {
	for name, c := range map[string]struct {
		there []kinds
		want  []kinds
	}{
		"no devices":         {nil, nil},
		"apart":              {[]kinds{of(0), of(1)}, []kinds{of(0), of(1)}},
		"one within another": {[]kinds{of(0), of(0, 1)}, []kinds{of(1), of(0, 1)}},
		"the same":           {[]kinds{of(0, 1)}, []kinds{of(0, 1)}},
		"some in common":     {[]kinds{of(0), of(0, 1), of(1)}, []kinds{of(0), of(1), of(0, 1)}},
		"two within another": {[]kinds{of(0, 70), of(70, 100), of(2)}, []kinds{of(0), of(2), of(100), of(0, 70, 100)}},
	} {
		t.Run(name, func(t *testing.T) {
			got := unions(c.there)
			slices.SortFunc(c.want, kinds.compare)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzUnions: numbers of unions say that requests can be met if and only if there is a way
// to give each its devices.
func FuzzUnions(f *testing.F) {
	f.Add([]byte{1, 2, 3, 0xff, 1, 1})
	f.Add([]byte{3, 3, 1, 0xff, 2, 1})
	f.Add([]byte{5, 3, 6, 7, 1, 0xff, 1, 1, 2})
	f.Add([]byte{3, 6, 12, 24, 48, 0xff, 1, 1, 1, 1, 1, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		const most = 6
		end := slices.Index(data, 0xff)
		if end < 0 || end > 40 {
			return
		}
		var there, each []kinds
		for _, b := range data[:end] {
			d := kinds{uint64(b) & (1<<most - 1)}
			if each = append(each, d); !slices.Contains(there, d) {
				there = append(there, d)
			}
		}
		var asked [most]int
		for i, b := range data[end+1:] {
			if i < most {
				asked[i] = int(b % 8)
			}
		}
		byNumber := true
		for i, n := range asked { // kinds without devices have no union
			byNumber = byNumber && (n == 0 || slices.ContainsFunc(each, func(d kinds) bool { return d.has(i) }))
		}
		for _, u := range unions(there) {
			want, have := 0, 0
			for _, i := range u.list() {
				want += asked[i]
			}
			for _, d := range each {
				if d.meets(u) {
					have++
				}
			}
			byNumber = byNumber && want <= have
		}
		if matched := match(asked[:], each); matched != byNumber {
			t.Errorf("devices %v, asked %v: numbers say %t, and that there is a way is %t", each, asked, byNumber, matched)
		}
	})
}

// match every request to a device of its own, by augmenting paths.
func match(asked []int, devices []kinds) bool {
	holder := make([]int, len(devices)) // kind asked for, plus one
	var give func(kind int, tried []bool) bool
	give = func(kind int, tried []bool) bool {
		for i, d := range devices {
			if !d.has(kind) || tried[i] {
				continue
			}
			tried[i] = true
			if holder[i] == 0 || give(holder[i]-1, tried) {
				holder[i] = kind + 1
				return true
			}
		}
		return false
	}
	for kind, n := range asked {
		for range n {
			if !give(kind, make([]bool, len(devices))) {
				return false
			}
		}
	}
	return true
}
