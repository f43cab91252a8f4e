// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "testing"

// TestPastUsageSurvives: a picture that is told what another one knew of the past goes
// on as the other one would.
func TestPastUsageSurvives(t *testing.T) {
	tell := func() *Picture {
		p := New()
		p.HalfLife = 1000
		p.SetNode(Node{Name: "n", Ready: true, Allocatable: Resources{cpu: 8000, pods: 10}})
		for _, q := range []Queue{{Name: "above"}, {Name: "busy", Parent: "above"}, {Name: "idle", Parent: "above"}} {
			if err := p.SetQueue(q); err != nil {
				t.Fatal(err)
			}
		}
		return p
	}
	was := tell()
	was.Elapse(10000)
	g := Gang{Key: "g", Queue: "busy", Sets: []PodSet{{Name: "w", Count: 2, Shape: Shape{Requests: Resources{cpu: 2000}}}}}
	if err := was.SetGang(g); err != nil {
		t.Fatal(err)
	}
	was.Decide()
	was.Elapse(11000)
	if past := was.Past("busy"); past[cpu] != 2000 || past[pods] != 1 {
		t.Fatalf("after one half-life, half of 4000 cpu and 2 pods: %v", past)
	}
	was.DeleteGang("g")
	now := tell()
	now.Elapse(12000)
	for resource, mean := range was.Past("busy") {
		now.Recall("busy", resource, mean, 11000)
		now.Recall("busy", resource, mean, 11000) // Twice is once.
	}
	was.Elapse(12000)
	if a, b := was.Past("busy")[cpu], now.Past("busy")[cpu]; a != 1000 || b != 1000 {
		t.Errorf("after one half-life more: %d, and %d where it was recalled; want 1000", a, b)
	}
	for _, name := range []string{"above", "idle"} {
		q := now.queues[name]
		q.used.settle(now.now, now.HalfLife)
		if got, want := q.used.past(now.names.of(cpu)), map[string]float64{"above": 1000}[name]; got != want {
			t.Errorf("queue %s used %g before, want %g", name, got, want)
		}
	}
	now.Recall("unknown", cpu, 1, 1)
}
