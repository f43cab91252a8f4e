// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package filters

import "math/rand/v2"

// dice are choices read from bytes, so that a fuzzer can make them, too. When the
// bytes are used up the first choice is taken.
type dice struct{ data []byte }

// thrown are the dice of a seed.
func thrown(seed uint64, bytes int) *dice {
	random := rand.New(rand.NewPCG(seed, 11))
	data := make([]byte, bytes)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return &dice{data}
}

// n is a number below limit.
func (d *dice) n(limit int) int {
	if len(d.data) == 0 {
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	return int(b) % limit
}

// oneIn is true once in so many times.
func (d *dice) oneIn(times int) bool { return d.n(times) == times-1 }

// one of several values.
func one[T any](d *dice, values ...T) T { return values[d.n(len(values))] }

// some of several values, perhaps none.
func some[T any](d *dice, values ...T) []T {
	var chosen []T
	for _, v := range values {
		if d.oneIn(2) {
			chosen = append(chosen, v)
		}
	}
	return chosen
}

// list of up to so many values.
func list[T any](d *dice, limit int, value func() T) []T {
	var values []T
	for range d.n(limit + 1) {
		values = append(values, value())
	}
	return values
}
