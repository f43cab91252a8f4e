// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestTally adds up, compares and picks out what maps would.
func TestTally(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	made := func() (tally, map[int32]int32) {
		var marks []int32
		for m := int32(-4); m < 5; m++ {
			if m != 0 && random.IntN(2) == 0 {
				marks = append(marks, m)
			}
		}
		counts, pods := map[int32]int32{}, int32(1+random.IntN(3))
		for _, m := range marks {
			counts[m] = pods
		}
		return tallyOf(marks, pods), counts
	}
	for range 2000 {
		a, x := made()
		b, y := made()
		sum, rest, most, among := map[int32]int32{}, map[int32]int32{}, map[int32]int32{}, 0
		var few []int32
		for m := int32(-4); m < 5; m++ {
			sum[m], rest[m], most[m] = x[m]+y[m], x[m]-y[m], max(x[m], y[m])
			if random.IntN(2) == 0 {
				few = append(few, m)
				among += int(x[m])
			}
		}
		for what, c := range map[string]struct {
			got  tally
			want map[int32]int32
		}{"plus": {a.plus(b), sum}, "minus": {a.minus(b), rest}, "most": {a.most(b), most}} {
			got := map[int32]int32{}
			for _, one := range c.got {
				got[one.mark] = one.pods
			}
			there := cmpopts.IgnoreMapEntries(func(_, n int32) bool { return n == 0 })
			if diff := cmp.Diff(c.want, got, there); diff != "" || len(got) != len(c.got) {
				t.Fatalf("%v %s %v is %v: %s", a, what, b, c.got, diff)
			}
		}
		if got := a.among(few); got != among {
			t.Fatalf("%d of %v are among %v, want %d", got, a, few, among)
		}
		if one := int32(random.IntN(9) - 4); a.without(one).of(one) != 0 || a.of(one) != x[one] {
			t.Fatalf("mark %d of %v: %d, and %d without it", one, a, a.of(one), a.without(one).of(one))
		}
	}
}
