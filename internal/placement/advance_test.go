// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestRandomMovedUp: on random clusters of two projects a gang of high priority comes that would hold
// others' places for longer than they do, where somebody's start relies on their end. If these give way
// for that start, it happens as soon as they are gone, and the gang's own before it had been promised.
func TestRandomMovedUp(t *testing.T) {
	if overSeeds(t, 14, randomMovedUp) == 0 {
		t.Error("no start was ever moved up")
	}
}

// randomMovedUp returns how many starts were moved up.
func randomMovedUp(t *testing.T, r *rand.Rand) int {
	s := newStage(t)
	n := func(below int) int64 { return int64(r.IntN(below)) }
	nodes := 1 + n(3)
	for i := range nodes {
		s.SetNode(Node{Name: fmt.Sprint("n", i), Ready: true, Allocatable: Resources{"gpu": 4, pods: 10}})
	}
	for _, q := range []string{"ours", "theirs"} {
		if err := s.SetQueue(Queue{Name: q, Quota: []Quota{{"gpu", "", 2 * (1 + n(int(nodes)+1)), Unlimited}}}); err != nil {
			t.Fatal(err)
		}
	}
	comes := func(key, queue string, priority int32, limit, gpus int64) {
		g := Gang{Key: key, Queue: queue, Created: s.now, Priority: priority, Limit: limit}
		g.Sets = []PodSet{{Name: "w", Count: int32(1 + n(2)), Shape: Shape{Requests: Resources{"gpu": gpus}}}}
		if err := s.SetGang(g); err != nil {
			t.Fatal(err)
		}
		s.tell("at %d %s of %s, priority %d, limit %d: %d of %d", s.now, key, queue, priority, limit, g.Sets[0].Count, gpus)
		s.take(s.Decide())
	}
	for i := range 2 + n(5) {
		comes(fmt.Sprint("runs", i), []string{"ours", "theirs"}[n(2)], int32(n(2)), 10000*(1+n(9)), 1+n(4))
	}
	for i := range 1 + n(2) {
		comes(fmt.Sprint("waits", i), []string{"ours", "theirs"}[n(2)], 0, 500*(1+n(4)), 1+n(4))
	}
	s.play(100)
	s.play(200)
	comes("high", "ours", 2, 100000*(1+n(9)), 1+n(4))
	s.play(300)
	before, promised := s.PlannedStart("high")
	s.log = nil
	s.play(301)
	if len(s.log) == 0 || !strings.Contains(s.log[0], "to have them next") {
		return 0
	}
	next := s.heirs()[0]
	s.play(301 + graceful)
	s.play(302 + graceful)
	if !next.runs() {
		t.Errorf("%s does not start though its start was moved up", next.Key)
	}
	for high := s.gangs["high"]; !high.runs() && !t.Failed(); s.play(s.now + graceful) {
		s.endRuns()
		if s.now > before.At+graceful {
			t.Errorf("high was promised to start at %d, and waits at %d though %s started before it", before.At, s.now, next.Key)
		}
	}
	if !promised || t.Failed() {
		t.Errorf("promised %t\n%s\n%s", promised, strings.Join(s.script, "\n"), strings.Join(s.log, "\n"))
	}
	return 1
}

// TestNotMovedUp: a start that relies on the end of somebody else, too, cannot be moved up, and nothing is done
// as if it were: nobody gives way, and no room is kept as given up for it.
func TestNotMovedUp(t *testing.T) {
	s := newStage(t)
	s.SetNode(Node{Name: "n", Ready: true, Allocatable: Resources{"gpu": 8, pods: 10}})
	for _, q := range []string{"ours", "theirs", "third"} {
		if err := s.SetQueue(Queue{Name: q, Quota: []Quota{{"gpu", "", 8, Unlimited}}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		gpus int64
		gang Gang
	}{
		{4, Gang{Key: "low", Queue: "ours", Limit: 600000}},
		{4, Gang{Key: "other", Queue: "third", Limit: 500000}},
		{8, Gang{Key: "promised", Queue: "theirs", Limit: 600}},
		{4, Gang{Key: "high", Queue: "ours", Priority: 5, Limit: 1000000}},
	} {
		g := c.gang
		g.Created, g.Sets = s.now, []PodSet{{Name: "w", Count: 1, Shape: Shape{Requests: Resources{"gpu": c.gpus}}}}
		if err := s.SetGang(g); err != nil {
			t.Fatal(err)
		}
		s.take(s.Decide())
		s.play(s.now + 100)
	}
	high := s.gangs["high"]
	if next := s.between(high, s.candidates(high, s.now)); len(next) != 1 || next[0].gang.Key != "promised" {
		t.Fatalf("between high and its start are %v, want promised", next)
	}
	s.play(s.now + 100)
	if len(s.log) > 0 || len(s.heirs()) > 0 || s.feuds["high"] != nil {
		t.Errorf("%v gave way, %d have room kept for them, and of high is remembered %+v", s.log, len(s.heirs()), s.feuds["high"])
	}
}

// endRuns of those whose limit is over.
func (s *stage) endRuns() {
	for key, g := range maps.Clone(s.gangs) {
		if g.runs() && g.Started+g.Limit <= s.now {
			s.DeleteGang(key)
			s.seat(Verdict{Gang: key})
		}
	}
}
