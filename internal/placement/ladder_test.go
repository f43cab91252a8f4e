// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"math/rand/v2"
	"testing"
)

// TestLadder compares with a look at every node, while what fits there changes.
func TestLadder(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		// More nodes than one word of words holds.
		c := &class{fits: make([]fit, 1+random.IntN(3*wordSize*wordSize))}
		p := &Picture{nodes: make([]*node, len(c.fits))}
		for range 3000 {
			i := random.IntN(len(c.fits))
			if random.IntN(3) > 0 {
				i %= 7
			}
			c.ladder.take(i, c.fits[i])
			c.fits[i] = fit{}
			if random.IntN(2) > 0 {
				c.fits[i] = fit{pods: 1 + random.Int32N(9), order: random.Uint32N(3)}
			}
			c.ladder.put(i, c.fits[i])
			pods := random.Int32N(12)
			if got, want := c.ladder.best(pods), c.search(p, nil, pods, nil); got != want {
				t.Fatalf("seed %d: the best node for %d pods is %d, want %d", seed, pods, got, want)
			}
		}
	}
}
