// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRandomCutOffs: a scheduler writes some of those that give way to a gang, and dies. The next scheduler has
// the same give way, and the gang starts when all pods have ended that are to.
func TestRandomCutOffs(t *testing.T) {
	random := func(t *testing.T, r *rand.Rand) int {
		cut := cutOff(t, r, "heir0")
		if cut == nil {
			return 0
		}
		if diff := cmp.Diff(cut.first.leaveFor("heir0"), cut.again.leaveFor("heir0")); diff != "" {
			t.Errorf("who gives way, without a death and with one (-without +with):\n%s", diff)
		}
		if first, again := cut.first.served(), cut.again.served(); !slices.Equal(first, again) {
			t.Errorf("%v start without a death, and with one %v", first, again)
		}
		return cut.unwritten
	}
	if overSeeds(t, 12, random) == 0 {
		t.Error("nothing was ever cut off")
	}
}

// TestRandomCutOffsOfTwo: where others give way to two gangs nobody knows after a death what was left to which
// of them, and one of them may have to ask again, which it does without a pause. Nearly always both start.
func TestRandomCutOffsOfTwo(t *testing.T) {
	started, late, paused := 0, 0, 0
	overSeeds(t, 15, func(t *testing.T, r *rand.Rand) int {
		cut := cutOff(t, r, "heir0", "heir1")
		if cut == nil {
			return 0
		}
		first, again := cut.first.served(), cut.again.served()
		started += len(first)
		cut.again.Settle()
		for _, heir := range first {
			if slices.Contains(again, heir) {
				continue
			}
			if late++; cut.again.pausesUntil(cut.again.gangs[heir]) > 0 {
				paused++
			}
		}
		return 0
	})
	if late*10 > started || paused*500 > started {
		t.Errorf("of %d gangs that start without a death %d do not with one, and %d of them pause", started, late, paused)
	}
	t.Logf("%d started, %d late, %d paused", started, late, paused)
}

// cut is a cluster on which others give way, and the same after so many of them went unwritten.
type cut struct {
	first, again scene
	unwritten    int
}

// cutOff is a random cut, where others give way to some gangs, or nil where nothing was cut off, or all of what
// was left to one of them, so that it asks anew, or where some gave way to more than these.
func cutOff(t *testing.T, r *rand.Rand, heirs ...string) *cut {
	n := func(below int) int64 { return int64(r.IntN(below)) }
	nodes := 2 + n(5)
	c := cut{first: newScene(t), again: newScene(t)}
	c.first.crowd(nodes, n)
	for _, key := range heirs {
		c.first.place(Gang{Key: key, Queue: "owner", Created: 5, Sets: []PodSet{{Name: "w", Count: int32(1 + n(int(nodes))), Shape: Shape{Requests: Resources{"gpu": 1 + n(4)}}}}})
	}
	before := map[string][]SetPlacement{}
	for key, g := range c.first.gangs {
		before[key] = g.placement()
	}
	c.first.Settle()
	c.first.retell(c.again)
	known := map[string]bool{} // heirs, and whether anybody is known to leave for them
	for _, key := range slices.Sorted(maps.Keys(c.first.gangs)) {
		left := c.first.GaveWayTo(key)
		written := len(left) == 0 || n(2) == 0
		for _, heir := range left {
			known[heir] = known[heir] || written
		}
		if !written {
			c.unwritten++
			c.again.forgets(c.first.gangs[key].Gang, before[key])
		}
	}
	if c.unwritten == 0 || len(known) > len(heirs) || slices.Contains(slices.Collect(maps.Values(known)), false) {
		return nil
	}
	c.again.Advance(c.first.now)
	c.again.Settle()
	return &c
}

// TestCompletedByThoseOfThen: what a death cut off is completed by those who ran when others gave way, and
// not by who came since.
func TestCompletedByThoseOfThen(t *testing.T) {
	for started, want := range map[int64]bool{3: false, 5: false, 9: true} {
		s := newScene(t, "gpu", "gpu")
		for _, q := range []Queue{{Name: "owner", Quota: []Quota{{Resource: "gpu", Guaranteed: 2, Limit: Unlimited}}}, {Name: "borrower"}} {
			if err := s.SetQueue(q); err != nil {
				t.Fatal(err)
			}
		}
		s.comes(Gang{Key: "gave", Queue: "borrower", Started: 1, Stopped: 5, GaveWayTo: []string{"heir"}, Waits: true}, 1, "gpu")
		s.Bind(Pod{Key: "gave-0", Node: "n0", Gang: "gave", Set: "w", Requests: Resources{"gpu": 1}})
		other := Gang{Key: "other", Queue: "borrower", Started: started, Placement: []SetPlacement{{Set: "w", Slots: []Slot{{Node: "n1", Count: 1}}}}}
		s.comes(other, 1, "gpu")
		s.comes(Gang{Key: "heir", Queue: "owner", Waits: true}, 2, "gpu")
		s.Advance(10)
		if got := s.gangs["other"].runs(); got != want {
			t.Errorf("started at %d, others gave way at 5: it runs: %t, want %t", started, got, want)
		}
	}
}

// forgets that a gang gave places up.
func (s scene) forgets(g Gang, before []SetPlacement) {
	s.DeleteGang(g.Key)
	if g.Placement = before; s.SetGang(g) != nil {
		s.Fatal("it was told before")
	}
}

// leaveFor an heir do these.
func (s scene) leaveFor(heir string) (names []string) {
	for _, key := range slices.Sorted(maps.Keys(s.gangs)) {
		if slices.Contains(s.GaveWayTo(key), heir) {
			names = append(names, key)
		}
	}
	return names
}

// served are the heirs that run once all pods have ended that are to.
func (s scene) served() (names []string) {
	for _, key := range slices.Sorted(maps.Keys(s.pods)) {
		if pod := s.pods[key]; s.overstays(pod.gang, s.byName[pod.node]) {
			s.Unbind(key)
		}
	}
	s.Decide()
	for _, key := range []string{"heir0", "heir1"} {
		if g := s.gangs[key]; g != nil && g.runs() {
			names = append(names, key)
		}
	}
	return names
}
