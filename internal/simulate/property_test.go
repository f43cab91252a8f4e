// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway.dev/slipway/internal/placement"
)

// TestRandom plays random weeks of small clusters under each policy and holds what must
// be so in all of them.
func TestRandom(t *testing.T) {
	for seed := range uint64(40) {
		input := randomInput(rand.New(rand.NewPCG(seed, 0)))
		for _, policy := range Policies() {
			t.Run(fmt.Sprintf("%d/%s", seed, policy), func(t *testing.T) { hold(t, input, policy) })
		}
	}
}

// FuzzRun does so for any seed.
func FuzzRun(f *testing.F) {
	f.Add(uint64(1))
	f.Add(uint64(253)) // a gang fits nowhere while a node is gone, and runs when it is back
	f.Fuzz(func(t *testing.T, seed uint64) {
		input := randomInput(rand.New(rand.NewPCG(seed, 1)))
		for _, policy := range Policies() {
			hold(t, input, policy)
		}
	})
}

func randomInput(r *rand.Rand) Input {
	n := func(below int64) int64 { return r.Int64N(below) }
	input := Input{Nodes: nodes(2 + int(n(4))), Grace: n(3) * 20, SettleEvery: n(2) * 60, Queues: []placement.Queue{guaranteed("a", n(16)), guaranteed("b", 0)}}
	for i := range 30 {
		j := job(fmt.Sprint("j", i), n(2000), int32(1+n(3)), 1+n(8), 1+n(400), n(3)*200)
		j.Gang.Queue = []string{"a", "b", ""}[n(3)]
		j.Gang.Priority = int32(n(2))
		j.Checkpoint = n(3) * 50
		if n(4) == 0 {
			j.Gang.Sets[0].Optional = j.Gang.Sets[0].Count - 1
		}
		input.Jobs = append(input.Jobs, j)
	}
	if n(2) == 0 {
		input.Changes = []Change{{At: n(1000), DropNodes: []string{"n0"}}, {At: 1000 + n(1000), SetNodes: nodes(1)}}
	}
	return input
}

func hold(t *testing.T, input Input, policy Policy) {
	result := mustRun(t, input, policy)
	if diff := cmp.Diff(result, mustRun(t, input, policy)); diff != "" {
		t.Errorf("the same input gave another answer:\n%s", diff)
	}
	work := 0.0
	for _, o := range result.Jobs {
		if o.Refused != "" || o.Never {
			continue
		}
		if o.Ended == never {
			t.Errorf("%s has not ended though nothing more happens: %v", o.Gang, o.Reason)
		}
		if o.Started < o.Arrived || o.Ended < o.Started+o.RunTime {
			t.Errorf("%s came at %d, started at %d, ended at %d and runs %d", o.Gang, o.Arrived, o.Started, o.Ended, o.RunTime)
		}
		if policy != Slipway && o.Evictions > 0 {
			t.Errorf("%s was evicted by a policy that does not", o.Gang)
		}
		work += float64(o.Asks["x/gpu"] * o.RunTime)
	}
	use := result.Use["x/gpu"]
	for hour := range use.Used {
		if use.Used[hour] > use.Offered[hour] {
			t.Errorf("in hour %d %v is used of %v", hour, use.Used[hour], use.Offered[hour])
		}
	}
	// What was used and not lost is the work. An elastic gang may hold a second more,
	// since moments are whole seconds.
	kept, slack := sum(use.Used)-sum(use.Wasted), float64(len(result.Jobs)*24)
	if kept < work-1e-6 || kept > work+slack || math.IsNaN(kept) {
		t.Errorf("%v was used to some effect, and the work is %v", kept, work)
	}
}
