// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"math/rand/v2"
	"testing"
)

// TestSoonest finds what fewest finds, and what a look at each number would.
func TestSoonest(t *testing.T) {
	found := map[bool]int{}
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 17))
		p := cluster(16)
		topologies := []Topology{{}, {Required: "rack"}, {Preferred: "rack"}, {SliceLabel: "rack", Slice: 4}}
		for i := range 120 {
			g := gpuGang(i, int32(1+random.IntN([]int{12, 12, 12, 120}[random.IntN(4)])), topologies[random.IntN(4)])
			g.Limit = int64(60*random.IntN(40)) * int64(random.IntN(2)) // half of them run for ever
			if err := p.SetGang(g); err != nil {
				t.Fatal(err)
			}
		}
		p.Decide()
		ended := p.absence(p.endings())
		for _, g := range p.waiting {
			fits := func() bool { return p.rehearse(g) != nil }
			count, is := ended.fewest(fits)
			singly := 0
			for ended.first(0); singly < count && !fits(); ended.first(singly) {
				singly++
			}
			soonest, also := ended.soonest(fits)
			if count != soonest || is != also || count != singly {
				t.Errorf("seed %d: %s fits when %d have ended (%t), %d at the soonest (%t), %d if counted one by one",
					seed, g.Key, count, is, soonest, also, singly)
			}
			found[is]++
		}
	}
	if found[true] < 100 || found[false] < 100 {
		t.Errorf("gangs that fit at some time, and that do not: %v", found)
	}
}
