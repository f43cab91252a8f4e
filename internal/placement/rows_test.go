// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// checkRows: what is remembered of who waits and who holds places is what a look at all
// gangs says.
func (w *world) checkRows() {
	standing := 0
	for _, u := range w.p.users {
		for i, r := range u.rows {
			if standing += len(r.gangs); len(r.gangs) == 0 || r.at != i || r.user != u || u.byLikeness[r.likeness] != r {
				w.t.Errorf("row %d of user %q is no row: %+v", i, u.name, r)
			}
			if !slices.IsSortedFunc(r.gangs, func(a, b *gang) int { return a.turn.compare(b.turn) }) {
				w.t.Errorf("a row of user %q is not in turn", u.name)
			}
		}
	}
	if standing+len(w.p.repairs) != len(w.p.waiting) {
		w.t.Errorf("%d gangs wait, %d stand in rows and %d are to be repaired", len(w.p.waiting), standing, len(w.p.repairs))
	}
	for _, g := range w.p.waiting {
		at := w.p.repairs
		if !g.turn.repair {
			at = g.user.byLikeness[g.likeness()].gangs
		}
		if !slices.Contains(at, g) {
			w.t.Errorf("%s is not in the row in which it should wait", g.Key)
		}
		if g.moved && !slices.Contains(w.p.came, g) {
			w.t.Errorf("%s would be told nothing", g.Key)
		}
	}
	w.checkHolders()
	w.checkOrder()
}

func (w *world) checkHolders() {
	holders := 0
	for key, g := range w.p.gangs {
		if held := g.count(slot.isHeld); g.holds != held || held > 0 && w.p.holders[g.holder] != g {
			w.t.Errorf("%s holds %d places, not %d", key, held, g.holds)
		}
		if g.holds > 0 {
			holders++
		}
		if len(g.exits) > 0 && !slices.Contains(w.p.leavers, g) {
			w.t.Errorf("%s is not known to leave", key)
		}
		if g.clearance != nil && !slices.Contains(w.p.clearances, g.clearance) {
			w.t.Errorf("%s is not known to be given places", key)
		}
	}
	if holders != len(w.p.holders) {
		w.t.Errorf("%d gangs hold places, not %d", holders, len(w.p.holders))
	}
}

// checkOrder: rows compete in the order in which their gangs would one by one.
func (w *world) checkOrder() {
	var singly []string
	contest := w.p.contestOf(w.p.waiting, func(*gang) bool { return true })
	for g := contest.next(); g != nil; g = contest.next() {
		singly = append(singly, g.Key)
	}
	if diff := cmp.Diff(singly, w.p.Turns()); diff != "" {
		w.t.Errorf("the order of turns (-of gangs +of rows):\n%s", diff)
	}
}

// TestPassingOverRows: thousands that wait are told the same whether they are passed over, row
// by row, or tried one by one.
func TestPassingOverRows(t *testing.T) {
	for name, paced := range map[string]bool{"paced": true, "at once": false} {
		t.Run(name, func(t *testing.T) {
			quick, thorough := newCrowd(t, 60, paced), newCrowd(t, 60, paced)
			thorough.thorough = true
			if a, b := quick.play(), thorough.play(); a != b || quick.digest != thorough.digest {
				t.Errorf("it takes %d ms if gangs are passed over and %d if not, and the verdicts' digests are %d and %d", a, b, quick.digest, thorough.digest)
			}
		})
	}
}

// TestRaisedLimit: who was kept from starting by a limit that is no more starts when there is
// room, although there was none when the limit was raised.
func TestRaisedLimit(t *testing.T) {
	p := New()
	p.SetNode(Node{Name: "n", Ready: true, Allocatable: Resources{cpu: 4000, pods: 10}})
	p.Bind(Pod{Key: "other", Node: "n", Requests: Resources{cpu: 2000}})
	limit := func(cores int64) {
		if err := p.SetQueue(Queue{Name: "q", Quota: []Quota{{Resource: cpu, Limit: cores * 1000}}}); err != nil {
			t.Fatal(err)
		}
	}
	limit(2)
	for _, key := range []string{"a", "b"} {
		g := Gang{Key: key, Queue: "q", Sets: []PodSet{{Name: "w", Count: 1, Shape: Shape{Requests: Resources{cpu: 2000}}}}}
		if err := p.SetGang(g); err != nil {
			t.Fatal(err)
		}
	}
	code := func(verdicts []Verdict) Code {
		last := verdicts[len(verdicts)-1]
		if last.Gang != "b" || last.Reason == nil {
			t.Fatalf("the last verdict should be why b waits: %v", verdicts)
		}
		return last.Reason.Code
	}
	if got := code(p.Decide()); got != QuotaExceeded {
		t.Errorf("b waits because of %s, not its quota", got)
	}
	limit(4)
	if got := code(p.Decide()); got != InsufficientResources {
		t.Errorf("b waits because of %s, not for room", got)
	}
	p.Unbind("other")
	if verdicts := p.Decide(); len(verdicts) != 1 || verdicts[0].State != Placed {
		t.Errorf("there is room for b now: %v", verdicts)
	}
}
