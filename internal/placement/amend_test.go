// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "testing"

// TestWhoIsEditedKeepsItsPromise where it asks for no more than before: nobody gets in between, though
// it came before.
func TestWhoIsEditedKeepsItsPromise(t *testing.T) {
	for name, tt := range map[string]struct {
		count int32
		edit  Gang
		keeps bool
	}{
		"nothing":       {2, Gang{Created: 2, Limit: 10}, true},
		"less time":     {2, Gang{Created: 2, Limit: 5}, true},
		"fewer places":  {1, Gang{Created: 2, Limit: 10}, true},
		"more priority": {2, Gang{Created: 2, Limit: 10, Priority: 1}, true},
		"less priority": {2, Gang{Created: 2, Limit: 10, Priority: -1}, false},
		"more time":     {2, Gang{Created: 2, Limit: 11}, false},
		"no limit":      {2, Gang{Created: 2}, false},
		"more places":   {3, Gang{Created: 2, Limit: 10}, false},
		"another queue": {2, Gang{Created: 2, Limit: 10, Queue: "q"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "gpu", "gpu", "fpga")
			if err := s.SetQueue(Queue{Name: "q"}); err != nil {
				t.Fatal(err)
			}
			s.submit("runs", 1, 1, "gpu", 1000)
			s.states(0)
			s.submit("edited", 2, 2, "gpu", 10)
			s.states(0)
			s.Plan(1)
			before, _ := s.PlannedStart("edited")
			s.planned("edited", 1000)
			tt.edit.Key = "edited"
			s.comes(tt.edit, tt.count, "gpu")
			if at, is := s.PlannedStart("edited"); is != tt.keeps || is && at.Number != before.Number {
				t.Fatalf("after it was edited a start is promised at %d (%t), want %t", at.At, is, tt.keeps)
			}
			s.submit("in between", 1, 2, "gpu", 2000)
			s.states(0)
			s.Plan(2)
			if tt.count == 2 && tt.keeps {
				s.planned("edited", 1000)
			}
		})
	}
}

// TestWhoCanDoWithoutLessLosesItsPromise: as many pods as before, and more of them that it needs.
func TestWhoCanDoWithoutLessLosesItsPromise(t *testing.T) {
	for optional, keeps := range map[int32]bool{2: true, 1: true, 0: false} {
		s := newScene(t, "gpu")
		edited := func(optional int32) {
			g := Gang{Key: "edited", Created: 2, Limit: 10, Sets: []PodSet{{Name: "w", Count: 3, Optional: optional, Shape: Shape{Requests: Resources{"gpu": 1}}}}}
			if err := s.SetGang(g); err != nil {
				t.Fatal(err)
			}
		}
		s.SetNode(Node{Name: "n0", Ready: true, Allocatable: Resources{"gpu": 3, pods: 9}})
		s.submit("runs", 1, 3, "gpu", 1000)
		s.states(0)
		edited(1)
		s.states(0)
		s.Plan(1)
		s.planned("edited", 1000)
		edited(optional)
		if _, is := s.PlannedStart("edited"); is != keeps {
			t.Errorf("with %d pods that it can do without it keeps its promise: %t, want %t", optional, is, keeps)
		}
	}
}
