// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestRandomMoves: on random clusters that are full of small gangs, within what their queue
// is guaranteed or beyond, one that is large and came before them starts once they move.
// Who moves is promised a place at once, and its queue has what it is guaranteed again as
// soon as those have given way who came between.
func TestRandomMoves(t *testing.T) {
	if overSeeds(t, 11, randomMove) == 0 {
		t.Error("nobody ever moved")
	}
}

// overSeeds runs a test on random worlds, and adds up what it counts.
func overSeeds(t *testing.T, stream uint64, run func(*testing.T, *rand.Rand) int) int {
	t.Helper()
	count := 0
	for seed := range uint64(*pictures) {
		if count += run(t, rand.New(rand.NewPCG(seed, stream))); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	return count
}

// randomMove returns how many gangs moved.
func randomMove(t *testing.T, r *rand.Rand) int {
	n := func(below int) int64 { return int64(r.IntN(below)) }
	s := scene{t, New()}
	nodes := 2 + n(5)
	for i := range nodes {
		s.SetNode(Node{Name: fmt.Sprint("n", i), Ready: true, Allocatable: Resources{"gpu": 4, pods: 10}})
	}
	for _, q := range []string{"large", "owed", "free"} {
		quota := Quota{Resource: "gpu", Limit: Unlimited}
		if q == "owed" {
			quota.Guaranteed = n(int(4 * nodes))
		}
		if err := s.SetQueue(Queue{Name: q, Quota: []Quota{quota}}); err != nil {
			t.Fatal(err)
		}
	}
	submit := func(key, queue string, created int64, count int32, gpus int64) {
		err := s.SetGang(Gang{Key: key, Queue: queue, Created: created, Sets: []PodSet{
			{Name: "w", Count: count, Shape: Shape{Requests: Resources{"gpu": gpus}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 4 * nodes {
		submit(fmt.Sprint("small", i), []string{"owed", "owed", "free"}[n(3)], 2, 1, 1+n(3))
		s.states(2)
	}
	submit("large", "large", 1, int32(1+n(int(nodes))), 4)
	s.states(2)
	for _, wait := range []int64{s.Patience + 1, s.stubborn(), s.stubborn() + 1} {
		s.Elapse(1 + wait)
		if moved := s.evictFor(wait > s.stubborn()); moved > 0 || !s.gangs["large"].unplaced() {
			return moved
		}
	}
	return 0
}

// evictFor the large gang, and return how many move, which they may only after a while.
func (s scene) evictFor(may bool) int {
	had := s.queues["owed"].used.of(0, s.names.of("gpu"))
	guaranteed := s.queues["owed"].Quota[0].Guaranteed
	var moves []string
	for _, g := range s.holders {
		s.raise(g)
	}
	for _, v := range s.Evict(1) {
		if v.Reason.Cause == ByMove {
			moves = append(moves, v.Gang)
		}
		if pauses := s.pausesUntil(s.gangs[v.Gang]) > 0; pauses == (v.Reason.Cause == ByMove) {
			s.Errorf("%s gives way (%s), and pauses before it asks others: %t", v.Gang, v.Reason.Cause, pauses)
		}
	}
	for _, key := range moves {
		if start, is := s.PlannedStart(key); !is || start.At != s.now {
			s.Errorf("%s moves, and is promised to start at %d (%t)", key, start.At, is)
		}
	}
	if len(moves) > 0 && !may {
		s.Errorf("%v move too soon", moves)
	}
	gave := s.gangs["large"].clearance != nil
	s.Decide()
	if gave && s.gangs["large"].unplaced() {
		s.Error("gangs gave way in vain")
	}
	for range 3 {
		s.Evict(8)
		s.Decide()
	}
	if has := s.queues["owed"].used.of(0, s.names.of("gpu")); has+2 < min(had, guaranteed) { // a gang that is partly within gives way whole
		s.Errorf("the owed queue has %d of %d, and had %d", has, guaranteed, had)
	}
	return len(moves)
}

// TestNextRight: it is looked again when a gang has waited for long enough that others
// give way to it, and that others move for it.
func TestNextRight(t *testing.T) {
	s := newScene(t, "gpu")
	if at, is := s.NextRight(); is {
		t.Errorf("nobody waits, and somebody has a right at %d", at)
	}
	s.submit("runs", 0, 1, "gpu", 0)
	s.states(0)
	s.submit("waits", 100, 1, "gpu", 0)
	s.submit("never", 100, 1, "fpga", 0)
	s.states(100)
	for _, want := range []int64{101 + DefaultPatience, 101 + DefaultPatience*3/2, never} {
		at, is := s.NextRight()
		if is != (want != never) || is && at != want {
			t.Errorf("at %d somebody has a right at %d (%t), want %d", s.now, at, is, want)
		}
		s.Elapse(at)
	}
	if elder := s.gangs["waits"]; !s.stirs(elder) {
		t.Error("nobody moves for who has waited for half of the patience again")
	}
	s.Patience = 0
	s.submit("waits, too", s.now, 1, "gpu", 0)
	s.states(s.now)
	if at, is := s.NextRight(); is {
		t.Errorf("patience is endless, and somebody has a right at %d", at)
	}
}
