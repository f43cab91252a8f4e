// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"testing"
)

// TestPodsOfAGangThatIsGone end when they say, and what they take is promised for then; a pod that
// does not say so stays for good.
func TestPodsOfAGangThatIsGone(t *testing.T) {
	for name, tt := range map[string]struct {
		until   []int64
		planned int64
	}{
		"both leave":            {[]int64{500, 700}, 700},
		"one stays":             {[]int64{500, 0}, 0},
		"one should have ended": {[]int64{10, 20}, 100 + 80},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "gpu", "gpu")
			s.submit("gone", 1, 2, "gpu", 0)
			s.states(0)
			pod := func(i int, until int64) bool {
				return s.Bind(Pod{Key: fmt.Sprint("gone-", i), Node: fmt.Sprint("n", i), Gang: "gone", Set: "w", Rank: int32(i),
					Requests: Resources{"gpu": 1}, Leaving: until > 0, Until: until})
			}
			for i := range tt.until {
				pod(i, 0)
			}
			s.submit("waits", 2, 2, "gpu", 10)
			s.DeleteGang("gone")
			s.states(100)
			if n := s.Plan(1); n != 0 {
				t.Fatalf("%d starts are promised though the pods stay", n)
			}
			for i, until := range tt.until {
				if news := pod(i, until); news != (until > 0) || pod(i, until) {
					t.Errorf("that pod %d leaves at %d is news: %t", i, until, news)
				}
			}
			s.Plan(1)
			if at, is := s.PlannedStart("waits"); is != (tt.planned > 0) || at.At != tt.planned {
				t.Errorf("a start is promised at %d (%t), want %d", at.At, is, tt.planned)
			}
			for i := range tt.until {
				s.Unbind(fmt.Sprint("gone-", i))
			}
			if len(s.outgoing) != 0 || s.states(800)["waits"] != Placed {
				t.Errorf("when they are gone, %d leave", len(s.outgoing))
			}
		})
	}
}

// TestEndsOnce: a gang that is edited, deleted and made again while the same pods of the first end.
// What these have is given back once.
func TestEndsOnce(t *testing.T) {
	s := newScene(t, "gpu")
	s.Bind(Pod{Key: "g-0", Node: "n0", Gang: "g", Set: "w", Requests: Resources{"gpu": 1}, Leaving: true, Until: 50})
	s.Advance(10)
	s.submit("g", 1, 1, "gpu", 100)
	s.submit("g", 1, 2, "gpu", 100)
	s.DeleteGang("g")
	s.submit("g", 1, 1, "gpu", 100)
	checkFrees(t, s.Picture)
	if exits := s.gangs["g"].exits; len(exits) != 1 {
		t.Errorf("it leaves one node %d times", len(exits))
	}
}
