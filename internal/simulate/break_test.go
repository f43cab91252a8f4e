// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway.dev/slipway/internal/placement"
)

// TestBreaks: when a gang stops, why, and when it goes on. One that grows or ends does not
// stop.
func TestBreaks(t *testing.T) {
	two := nodes(2)
	elastic := job("A", 0, 4, 4, 500, 0)
	elastic.Gang.Sets[0].Optional = 3
	for name, c := range map[string]struct {
		input Input
		want  []string
	}{
		"ends":  {Input{Nodes: two, Jobs: []Job{job("A", 0, 1, 8, 100, 0)}}, nil},
		"grows": {Input{Nodes: nodes(1), Jobs: []Job{elastic}, Changes: []Change{{At: 50, SetNodes: two}}}, nil},
		"moves at once": {Input{Nodes: two, Jobs: []Job{job("A", 0, 1, 8, 500, 0)}, Changes: []Change{{At: 50, DropNodes: []string{two[0].Name}}}},
			[]string{"50 to 50: lost " + two[0].Name}},
		"moves later": {Input{Nodes: two[:1], Jobs: []Job{job("A", 0, 1, 8, 500, 0)},
			Changes: []Change{{At: 50, DropNodes: []string{two[0].Name}}, {At: 70, SetNodes: two[1:]}}},
			[]string{"50 to 70: 1 pod of 1 lost node " + two[0].Name}},
		"never again": {Input{Nodes: two[:1], Jobs: []Job{job("A", 0, 1, 8, 500, 0)}, Changes: []Change{{At: 50, DropNodes: []string{two[0].Name}}}},
			[]string{"50 to -1: 1 pod of 1 lost node " + two[0].Name}},
		"shrinks": {Input{Nodes: two, Jobs: []Job{elastic}, Changes: []Change{{At: 50, DropNodes: []string{two[0].Name}}}},
			[]string{"50 to 50: lost " + two[0].Name}},
	} {
		result := mustRun(t, c.input, Slipway)
		var got []string
		for _, b := range result.of(t, "A").Breaks {
			why, _, _ := strings.Cut(b.Why.String(), " and ")
			got = append(got, fmt.Sprintf("%d to %d: %s", b.At, b.Again, why))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestRandomBreaks: breaks of a run follow one another within it, it gave way in no
// more of them than is counted, and what has ended went on after each.
func TestRandomBreaks(t *testing.T) {
	for seed := range uint64(40) {
		result := mustRun(t, randomInput(rand.New(rand.NewPCG(seed, 2))), Slipway)
		for _, o := range result.Jobs {
			gaveWay, at := 0, o.Started
			for _, b := range o.Breaks {
				if b.At < at || b.Again < b.At && (b.Again != never || o.Ended != never) {
					t.Errorf("seed %d: %s started at %d, ended at %d and broke off at %+v", seed, o.Gang, o.Started, o.Ended, o.Breaks)
				}
				if at = b.Again; b.Again > b.At && b.Why.Code == placement.Evicted {
					gaveWay++
				}
			}
			if gaveWay > o.Evictions {
				t.Errorf("seed %d: %s gave way %d times, and %d are told: %+v", seed, o.Gang, o.Evictions, gaveWay, o.Breaks)
			}
		}
	}
}
