// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReseat: the place that is told is kept, though by rank it would be another, and
// nothing has ended.
func TestReseat(t *testing.T) {
	p := New()
	for _, name := range []string{"n1", "n2"} {
		p.SetNode(Node{Name: name, Ready: true, Allocatable: Resources{"cpu": 1000, "pods": 10}})
	}
	told := Gang{Key: "g", Kind: "k", Sets: []PodSet{{Name: "s", Count: 2, Shape: Shape{Requests: Resources{"cpu": 1000}}}}}
	if err := p.SetGang(told); err != nil {
		t.Fatal(err)
	}
	p.Advance(10)
	p.Advance(20)
	told.Sets = []PodSet{told.Sets[0]}
	told.Sets[0].Count, told.Started = 1, 10
	told.Placement = []SetPlacement{{Set: "s", Slots: []Slot{{Node: "n2", Count: 1}}}}
	if err := p.Reseat(told); err != nil {
		t.Fatal(err)
	}
	verdicts := p.Advance(30)
	if len(verdicts) != 1 || verdicts[0].State != Placed {
		t.Fatalf("answers %+v", verdicts)
	}
	if diff := cmp.Diff(told.Placement, verdicts[0].Placement); diff != "" {
		t.Error(diff)
	}
	if took := p.past.of("k"); len(took) > 0 {
		t.Errorf("runs that ended took %v", took)
	}
}
