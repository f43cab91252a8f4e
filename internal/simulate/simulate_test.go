// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway.dev/slipway/internal/placement"
)

func nodes(count int) []placement.Node {
	var all []placement.Node
	for i := range count {
		all = append(all, placement.Node{
			Name: fmt.Sprint("n", i), Ready: true, Allocatable: placement.Resources{"x/gpu": 8, "pods": 110},
		})
	}
	return all
}

// job of pods with a number of GPUs each.
func job(key string, arrives int64, pods int32, gpus, runs, limit int64) Job {
	return Job{Arrives: arrives, RunTime: runs, Gang: placement.Gang{
		Key: key, Created: arrives, Limit: limit,
		Sets: []placement.PodSet{{Name: "w", Count: pods, Shape: placement.Shape{Requests: placement.Resources{"x/gpu": gpus}}}},
	}}
}

func in(j Job, queue string) Job {
	j.Gang.Queue = queue
	return j
}

// times of a gang.
type times struct{ Started, Ended int64 }

func mustRun(t *testing.T, in Input, policy Policy) *Result {
	t.Helper()
	result, err := Run(in, policy)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (r *Result) times() map[string]times {
	all := map[string]times{}
	for _, o := range r.Jobs {
		all[o.Gang] = times{o.Started, o.Ended}
	}
	return all
}

// TestBackfill: on two nodes A holds one for 100 s, B wants both, C and D want one,
// C for 50 s and D for 200 s.
func TestBackfill(t *testing.T) {
	input := Input{Nodes: nodes(2), Jobs: []Job{
		job("A", 0, 1, 8, 100, 100),
		job("B", 1, 2, 8, 10, 10),
		job("C", 2, 1, 8, 50, 50),
		job("D", 3, 1, 8, 200, 200),
	}}
	for policy, want := range map[Policy]map[string]times{
		// C ends before B's promise, D would not.
		Slipway: {"A": {0, 100}, "C": {2, 52}, "B": {100, 110}, "D": {110, 310}},
		// Nobody passes B.
		FIFO: {"A": {0, 100}, "B": {100, 110}, "C": {110, 160}, "D": {110, 310}},
		// D passes B.
		BestEffort: {"A": {0, 100}, "C": {2, 52}, "D": {52, 252}, "B": {252, 262}},
	} {
		t.Run(string(policy), func(t *testing.T) {
			if diff := cmp.Diff(want, mustRun(t, input, policy).times()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
