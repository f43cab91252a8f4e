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

// TestRandomCutOffs: a scheduler writes some of those that give way, and dies. Of one gang for which they
// do the next scheduler has the same give way, and it starts when all pods have ended that are to. Of several
// nobody knows what was left to whom, and one of them may have to ask again, which it does without a pause.
func TestRandomCutOffs(t *testing.T) {
	if overSeeds(t, 12, randomCutOff) == 0 {
		t.Error("nothing was ever cut off")
	}
}

// randomCutOff returns how many gangs were to give way and are not known to.
func randomCutOff(t *testing.T, r *rand.Rand) int {
	n := func(below int) int64 { return int64(r.IntN(below)) }
	nodes := 2 + n(5)
	first, again := newScene(t), newScene(t)
	first.crowd(nodes, n)
	for _, key := range []string{"heir0", "heir1"}[:1+n(2)] {
		first.place(Gang{Key: key, Queue: "owner", Created: 5, Sets: []PodSet{{Name: "w", Count: int32(1 + n(int(nodes))), Shape: Shape{Requests: Resources{"gpu": 1 + n(4)}}}}})
	}
	before := map[string][]SetPlacement{}
	for key, g := range first.gangs {
		before[key] = g.placement()
	}
	first.Settle()
	first.retell(again)
	unwritten, known := 0, map[string]bool{} // heirs, and whether anybody is known to leave for them
	for _, key := range slices.Sorted(maps.Keys(first.gangs)) {
		heirs := first.GaveWayTo(key)
		cut := len(heirs) > 0 && n(2) == 0
		for _, heir := range heirs {
			known[heir] = known[heir] || !cut
		}
		if cut {
			unwritten++
			again.forgets(first.gangs[key].Gang, before[key])
		}
	}
	if slices.Contains(slices.Collect(maps.Values(known)), false) {
		return 0 // It asks anew.
	}
	again.Advance(first.now)
	again.Settle()
	for heir := range known {
		if diff := cmp.Diff(first.leaveFor(heir), again.leaveFor(heir)); len(known) == 1 && diff != "" {
			t.Errorf("who gives way to %s, without a death and with one (-without +with):\n%s", heir, diff)
		}
	}
	got := again.served()
	again.Settle()
	for _, heir := range first.served() {
		if !slices.Contains(got, heir) && (len(known) == 1 || again.pausesUntil(again.gangs[heir]) > 0) {
			t.Errorf("%s does not start, as it would have without a death", heir)
		}
	}
	return unwritten
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
