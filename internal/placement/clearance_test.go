// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRandomRestarts: on random clusters that are full of gangs which borrowed what they use,
// two that are guaranteed it ask for it. When the scheduler starts again before the pods of
// those have ended who gave way, nobody gives way but them.
func TestRandomRestarts(t *testing.T) {
	if overSeeds(t, 12, randomRestart) == 0 {
		t.Error("nobody ever gave way")
	}
}

// TestRestartKeepsWhatWasGivenUp for the one that it was given up for, also what is free of it
// when the scheduler starts again.
func TestRestartKeepsWhatWasGivenUp(t *testing.T) {
	first := newScene(t)
	for _, q := range []Queue{{Name: "owner", Quota: []Quota{{Resource: "gpu", Guaranteed: 4, Limit: Unlimited}}}, {Name: "borrower"}} {
		if err := first.SetQueue(q); err != nil {
			t.Fatal(err)
		}
	}
	first.SetNode(Node{Name: "n", Ready: true, Allocatable: Resources{"gpu": 4, pods: 10}})
	gang := func(key, queue string, created, gpus int64) {
		first.place(Gang{Key: key, Queue: queue, Created: created, Sets: []PodSet{{Name: "w", Count: 1, Shape: Shape{Requests: Resources{"gpu": gpus}}}}})
	}
	for _, key := range []string{"a", "b"} {
		gang(key, "borrower", 1, 2)
		first.Bind(Pod{Key: key + "-0", Node: "n", Gang: key, Set: "w", Requests: Resources{"gpu": 2}})
	}
	gang("heir", "owner", 5, 4)
	gang("waits", "borrower", 1, 2)
	first.Settle()
	first.Unbind("a-0")
	first.Decide()

	again := newScene(t)
	first.retell(again)
	again.Advance(0)
	again.Settle()
	if again.gangs["waits"].runs() || again.gangs["a"].runs() {
		t.Error("somebody took what was given up for another one")
	}
	again.Unbind("b-0")
	if again.Decide(); !again.gangs["heir"].runs() {
		t.Errorf("it waits though all was given up for it: %s", again.gangs["heir"].told.Reason)
	}
}

// TestClaimsDoNotOverstay: a gang that has its place again has no more pods there for what they
// claim, and its heir of before does not wait for it for ever, but has another one give way.
func TestClaimsDoNotOverstay(t *testing.T) {
	for name, claims := range map[string]bool{"pods alone": false, "pods and claims": true} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "gpu", "gpu")
			s.guarantee("gpu", 1)
			for node, g := range map[string]Gang{"n0": {Key: "gave way", Started: 1, GaveWayTo: []string{"heir"}}, "n1": {Key: "other", Started: 2}} {
				g.Queue, g.Placement = "borrower", []SetPlacement{{"w", []Slot{{node, 1}}}}
				s.comes(g, 1, "gpu")
			}
			s.Bind(Pod{Key: "pod", Node: "n0", Gang: "gave way", Set: "w"})
			if claims {
				s.Bind(Pod{Key: "claim", Node: "n0", Gang: "gave way", Set: "w", Requests: Resources{"gpu": 1}, Claim: true})
			}
			s.comes(Gang{Key: "heir", Queue: "owner", Created: 20, Waits: true}, 1, "gpu")
			for i := range int64(3) {
				s.Advance(100 + i*1000)
				s.Settle()
			}
			if !s.gangs["heir"].runs() {
				t.Errorf("the heir waits: %s", s.gangs["heir"].told.Reason)
			}
		})
	}
}

// randomRestart returns how many gangs gave way.
func randomRestart(t *testing.T, r *rand.Rand) int {
	n := func(below int) int64 { return int64(r.IntN(below)) }
	nodes := 2 + n(5)
	first := newScene(t)
	first.crowd(nodes, n)
	for _, key := range []string{"heir0", "heir1"}[:1+n(2)] {
		first.place(Gang{Key: key, Queue: "owner", Created: 5, Sets: []PodSet{{Name: "w", Count: int32(1 + n(int(nodes))), Shape: Shape{Requests: Resources{"gpu": 1 + n(4)}}}}})
	}
	first.Settle()
	gave := 0
	for _, g := range first.gangs {
		gave += len(first.GaveWayTo(g.Key))
	}
	for _, key := range slices.Sorted(maps.Keys(first.pods)) {
		if n(3) == 0 {
			first.Unbind(key)
		}
	}
	first.Decide()

	awaited := first.awaited()
	again := newScene(t)
	first.retell(again)
	again.Advance(first.now)
	for key, g := range first.gangs {
		for _, heir := range first.GaveWayTo(key) {
			// One that gave up what it can do without may have taken it again.
			same := again.gangs[key].holds == g.holds
			if got := again.gangs[heir]; awaited[heir] && same && got.clearance == nil && !got.runs() {
				t.Errorf("it is not known any more that %s gave way to %s", key, heir)
			}
		}
	}
	for range 2 {
		still := again.awaited()
		for _, v := range again.Settle() {
			if v.Reason != nil && still[v.Reason.Heir] {
				t.Errorf("%s gives way, too: %s", v.Gang, v.Reason)
			}
		}
	}
	return gave
}

// crowd nodes with gangs that may all have to give way, each with its pods.
func (s scene) crowd(nodes int64, n func(int) int64) {
	for i := range nodes {
		s.SetNode(Node{Name: fmt.Sprint("n", i), Ready: true, Allocatable: Resources{"gpu": 4, pods: 10}})
	}
	for _, q := range []Queue{{Name: "owner", Quota: []Quota{{Resource: "gpu", Guaranteed: 4 * nodes, Limit: Unlimited}}}, {Name: "borrower"}} {
		if err := s.SetQueue(q); err != nil {
			s.Fatal(err)
		}
	}
	for i := range 4 * nodes {
		count := int32(1 + n(3))
		g := Gang{Key: fmt.Sprint("b", i), Queue: "borrower", Created: i, Limit: n(2) * 1000 * (1 + n(9)), Sets: []PodSet{{Name: "w", Count: count, Optional: int32(n(int(count) + 1)), Shape: Shape{Requests: Resources{"gpu": 1 + n(2)}}}}}
		s.place(g)
		for rank := range s.gangs[g.Key].count(slot.isHeld) {
			at, _ := s.nodeOf(g.Key, rank)
			s.Bind(Pod{Key: fmt.Sprint(g.Key, "-", rank), Node: at, Gang: g.Key, Set: "w", Rank: rank, Requests: g.Sets[0].Shape.Requests})
		}
	}
}

func (s scene) place(g Gang) {
	if err := s.SetGang(g); err != nil {
		s.Fatal(err)
	}
	s.Decide()
}

// awaited are those for whom room is made by gangs whose pods have not ended yet.
func (s scene) awaited() map[string]bool {
	awaited := map[string]bool{}
	for key := range s.gangs {
		for _, heir := range s.GaveWayTo(key) {
			if s.gangs[heir].clearance != nil {
				awaited[heir] = true
			}
		}
	}
	return awaited
}

// nodeOf a rank that has a place.
func (s scene) nodeOf(key string, rank int32) (string, bool) {
	for _, slot := range s.gangs[key].sets[0].slots {
		if rank < slot.count {
			return slot.node, slot.held
		}
		rank -= slot.count
	}
	return "", false
}

// retell another scene of what the API server would have, in another order.
func (s scene) retell(to scene) {
	for _, key := range slices.Backward(slices.Sorted(maps.Keys(s.gangs))) {
		g := s.gangs[key]
		told := g.Gang
		told.Placement, told.Waits, told.GaveWayTo = g.placement(), !g.runs(), s.GaveWayTo(key)
		if err := to.SetGang(told); err != nil {
			s.Fatal(err)
		}
	}
	for _, pod := range s.pods {
		requests := Resources{}
		for _, r := range pod.requests {
			if name := s.names.list[r.at]; name != pods {
				requests[name] = r.n
			}
		}
		to.Bind(Pod{Key: fmt.Sprintf("%s-%d", pod.gang, pod.seat.rank), Node: pod.node, Gang: pod.gang, Set: pod.seat.set, Rank: pod.seat.rank, Requests: requests})
	}
	for _, n := range s.nodes {
		to.SetNode(n.Node)
	}
	for _, q := range s.queues {
		if err := to.SetQueue(q.Queue); err != nil {
			s.Fatal(err)
		}
	}
}
