// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"math"
	"testing"
)

// TestNumbers: gangs that come with promises are promised their starts in the order of the numbers
// of these, whatever numbers they are, and others after them.
func TestNumbers(t *testing.T) {
	for name, c := range map[string]struct{ first, second int64 }{
		"small":  {1, 2},
		"large":  {1 << 32, 1<<32 + 1},
		"larger": {1<<40 + 2, 1<<41 + 1},
		"absurd": {7, math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "gpu")
			s.comes(Gang{Key: "runs", Started: 1, Limit: 99, Placement: []SetPlacement{{"w", []Slot{{"n0", 1}}}}}, 1, "gpu")
			s.comes(Gang{Key: "first", Created: 3, Limit: 100, Waits: true, Promised: c.first}, 1, "gpu")
			s.comes(Gang{Key: "second", Created: 2, Limit: 100, Waits: true, Promised: c.second}, 1, "gpu")
			s.comes(Gang{Key: "new", Created: 1, Limit: 100}, 1, "gpu")
			s.Advance(10)
			s.Settle()
			last := int64(0)
			for i, key := range []string{"first", "second", "new"} {
				s.planned(key, 100+100*int64(i))
				if start, _ := s.PlannedStart(key); start.Number <= last {
					t.Errorf("%s has promise %d, and the one before it %d", key, start.Number, last)
				} else {
					last = start.Number
				}
			}
		})
	}
}

// TestNumberOfAnHeir: room is being made for it since before a restart, and it is promised that
// first, but its promise is newer than those that others come with.
func TestNumberOfAnHeir(t *testing.T) {
	s := newScene(t, "gpu", "gpu", "disk")
	s.makesRoom("n0", 0)
	s.comes(Gang{Key: "runs", Started: 1, Limit: 99, Placement: []SetPlacement{{"w", []Slot{{"n2", 1}}}}}, 1, "disk")
	s.comes(Gang{Key: "promised", Created: 3, Limit: 100, Waits: true, Promised: 8}, 1, "disk")
	s.Advance(10)
	s.Settle()
	heir, _ := s.PlannedStart("heir")
	if other, _ := s.PlannedStart("promised"); other.Number != 8 || heir.Number != 9 {
		t.Errorf("the one that came with promise 8 has %d, and the heir %d, want 9", other.Number, heir.Number)
	}
}
