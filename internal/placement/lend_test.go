// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "testing"

// TestNothingIsLentOfRoomThatIsMade: pods that gave way take so long to end that a lease would be
// over by the start that they keep waiting; but they may be gone at any moment, too.
func TestNothingIsLentOfRoomThatIsMade(t *testing.T) {
	for name, heir := range map[string]bool{"room is made": true, "others end by themselves": false} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "gpu", "gpu")
			if heir {
				s.makesRoom("n0", 0)
			} else {
				on := []SetPlacement{{"w", []Slot{{"n0", 1}}}}
				s.comes(Gang{Key: "runs", Created: 1, Started: 10, Limit: 4000, Placement: on}, 1, "gpu")
				s.comes(Gang{Key: "large", Created: 2, Limit: 500}, 2, "gpu")
			}
			for _, now := range []int64{10, 2000} {
				s.Advance(now)
				s.Settle()
			}
			if start := s.plan.byTime[0].at; start < s.now+DefaultLease {
				t.Fatalf("the start is promised for %d, too soon to lend anything", start)
			}
			s.comes(Gang{Key: "gives back", Created: 3, Limit: 9000, Checkpointed: 1}, 1, "gpu")
			s.Advance(2001)
			if runs := s.gangs["gives back"].runs(); runs == heir {
				t.Errorf("it runs: %t", runs)
			}
		})
	}
}

// TestTakingBackIsNoFeud: those on recall are gone before the start for which they went, which is as
// it was planned, and not as if they had given way in vain.
func TestTakingBackIsNoFeud(t *testing.T) {
	s := newScene(t, "gpu", "gpu")
	on := []SetPlacement{{"w", []Slot{{"n0", 1}}}}
	s.comes(Gang{Key: "runs", Created: 1, Started: 10, Limit: 4000, Placement: on}, 1, "gpu")
	s.comes(Gang{Key: "large", Created: 2, Limit: 500}, 2, "gpu")
	s.Advance(10)
	s.Settle()
	s.comes(Gang{Key: "gives back", Created: 3, Limit: 9000, Checkpointed: 1}, 1, "gpu")
	s.Advance(20)
	start := s.gangs["large"].promise.at
	for _, now := range []int64{20, start - RecallNotice, start - RecallNotice/2, start - 1} {
		s.Advance(now)
		s.Settle()
	}
	large := s.gangs["large"]
	if s.gangs["gives back"].runs() || large.runs() || large.clearance != nil {
		t.Fatal("nobody is gone whom the start waits for no more")
	}
	if got := s.pausesUntil(large); got != 0 {
		t.Errorf("it asks others again at %d only", got)
	}
}
