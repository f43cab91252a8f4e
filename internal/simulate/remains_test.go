// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"testing"

	"slipway.dev/slipway/internal/placement"
)

// TestOnTheirWayOut: pods of those that gave way before the simulation begins end when their grace
// is over. Then B starts, to which they did, and nobody else has to give way.
func TestOnTheirWayOut(t *testing.T) {
	pod := func(gang string, gpus int64, rank int32) placement.Pod {
		return placement.Pod{Key: gang + string('0'+rank), Node: "n0", Gang: gang, Set: "w", Rank: rank, Requests: placement.Resources{"x/gpu": gpus}}
	}
	whole := in(job("A", 900, 1, 6, 100, 0), "lender")
	whole.Gang.Stopped, whole.Gang.GaveWayTo = 990, []string{"B"}
	part := in(job("A", 900, 2, 2, 0, 0), "lender")
	part.Gang.Sets[0].Optional, part.Gang.Started, part.Gang.GaveWayTo = 1, 900, []string{"B"}
	part.Gang.Placement = []placement.SetPlacement{{Set: "w", Slots: []placement.Slot{{Node: "n0", Count: 1}}}}
	leaving := pod("", 6, 0)
	leaving.Leaving = true
	for name, c := range map[string]struct {
		in Input
		b  int64
	}{
		"of a group":         {Input{Pods: []placement.Pod{pod("g/remains", 6, 0)}, Remains: []placement.Gang{{Key: "g/remains", GaveWayTo: []string{"B"}}}}, 8},
		"of a gang":          {Input{Pods: []placement.Pod{pod("A", 6, 0)}, Jobs: []Job{whole}}, 8},
		"of one that shrank": {Input{Pods: []placement.Pod{pod("A", 2, 0), pod("A", 2, 1)}, Jobs: []Job{part}}, 6},
		"of nobody known":    {Input{Pods: []placement.Pod{leaving}}, 8},
	} {
		t.Run(name, func(t *testing.T) {
			c.in.Start, c.in.Grace, c.in.Nodes, c.in.Until = 1000, 30, nodes(1), 1040
			c.in.Queues = []placement.Queue{guaranteed("owner", 8), guaranteed("lender", 0)}
			c.in.Jobs = append(c.in.Jobs, in(job("B", 980, 1, c.b, 100, 0), "owner"))
			result := mustRun(t, c.in, Slipway)
			if o := result.of(t, "B"); o.Started != 1030 {
				t.Errorf("B starts at %d, want 1030: %v", o.Started, o.Reason)
			}
			for _, o := range result.Jobs {
				if o.Evictions > 0 {
					t.Errorf("%s gives way once more", o.Gang)
				}
			}
			if len(result.Jobs) != len(c.in.Jobs) {
				t.Errorf("there are %d outcomes of %d jobs", len(result.Jobs), len(c.in.Jobs))
			}
		})
	}
}
