// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// learner is a picture of one node and three queues, at a moment.
func learner(t *testing.T, now int64) *Picture {
	t.Helper()
	p := New()
	p.HalfLife = 1000
	p.SetNode(Node{Name: "n", Ready: true, Allocatable: Resources{cpu: 8000, pods: 10}})
	for _, q := range []Queue{{Name: "above"}, {Name: "busy", Parent: "above"}, {Name: "idle", Parent: "above"}} {
		if err := p.SetQueue(q); err != nil {
			t.Fatal(err)
		}
	}
	p.Elapse(now)
	return p
}

// submit a gang of one pod, and decide.
func (p *Picture) submit(t *testing.T, key, user, kind string, cores int64) {
	t.Helper()
	g := Gang{Key: key, Queue: "busy", User: user, Kind: kind, Created: p.now, Started: p.now,
		Sets: []PodSet{{Name: "w", Count: 1, Shape: Shape{Requests: Resources{cpu: cores * 1000}}}}}
	if err := p.SetGang(g); err != nil {
		t.Fatal(err)
	}
	p.Decide()
}

// TestPastSurvives: a picture that is told what another one knew of the past goes on as
// the other one would.
func TestPastSurvives(t *testing.T) {
	was := learner(t, 10000)
	was.submit(t, "a", "ada", "train", 3)
	was.submit(t, "b", "bob", "", 1)
	was.Elapse(11000)
	was.DeleteGang("a")
	was.DeleteGang("b")
	learned := was.Past("busy")
	want := Past{Queue: "busy", At: 11000, Mean: map[string]float64{cpu: 2000, pods: 1}, Users: []UserPast{
		{"ada", map[string]float64{cpu: 1500, pods: 0.5}}, {"bob", map[string]float64{cpu: 500, pods: 0.5}},
	}, Runs: []PastRuns{{"train", []int64{1000}}}}
	if diff := cmp.Diff(want, learned); diff != "" {
		t.Fatalf("after one half-life half of what was used (-want +got):\n%s", diff)
	}
	now := learner(t, 12000)
	now.Recall(learned)
	now.Recall(learned) // Twice is once.
	was.Elapse(12000)
	for _, name := range []string{"above", "busy", "idle"} {
		if diff := cmp.Diff(was.Past(name), now.Past(name)); diff != "" {
			t.Errorf("queue %s after one half-life more, and where it was recalled (-was +now):\n%s", name, diff)
		}
		q := now.queues[name]
		q.used.settle(now.now, now.HalfLife)
		if got, want := q.used.past(now.names.of(cpu)), map[string]float64{"above": 1000, "busy": 1000}[name]; got != want {
			t.Errorf("queue %s and those below it used %g before, want %g", name, got, want)
		}
	}
	now.Recall(Past{Queue: "unknown", Mean: map[string]float64{cpu: 1}})
}

// TestUsersTakeTurnsByThePast: who used much before comes after who did not, be that known
// or recalled.
func TestUsersTakeTurnsByThePast(t *testing.T) {
	p := learner(t, 10000)
	p.Recall(Past{Queue: "busy", At: 10000, Users: []UserPast{{"ada", map[string]float64{cpu: 4000}}}})
	p.submit(t, "full", "", "", 8)
	p.submit(t, "a", "ada", "", 1)
	p.submit(t, "b", "bob", "", 1)
	if diff := cmp.Diff([]string{"b", "a"}, p.Turns()); diff != "" {
		t.Errorf("turns (-want +got):\n%s", diff)
	}
}

// TestPastIsBounded, whoever and whatever there was; those are left out who used least, and
// kinds that ended first.
func TestPastIsBounded(t *testing.T) {
	p := learner(t, 0)
	past := Past{Queue: "busy", Mean: map[string]float64{cpu: 1e6}}
	for i := range 3 * maxPastUsers {
		past.Users = append(past.Users, UserPast{fmt.Sprintf("u%03d", i), map[string]float64{cpu: float64(10 + i)}})
	}
	for i := range 3 * maxPastKinds {
		past.Runs = append(past.Runs, PastRuns{fmt.Sprintf("k%03d", i), make([]int64, maxRecent)})
	}
	p.Recall(past)
	got := p.Past("busy")
	if n := len(got.Users); n != maxPastUsers || got.Users[0].Name != fmt.Sprintf("u%03d", 2*maxPastUsers) {
		t.Errorf("%d users, the first %+v", n, got.Users[0])
	}
	if n := len(got.Runs); n != maxPastKinds || got.Runs[0].Kind != fmt.Sprintf("k%03d", 2*maxPastKinds) || len(got.Runs[0].Took) != maxPastRuns {
		t.Errorf("%d kinds, the first %+v", n, got.Runs[0])
	}
	p.Elapse(40 * p.HalfLife)
	if got := p.Past("busy"); len(got.Users)+len(got.Mean) > 0 || len(p.queues["busy"].users) > 0 {
		t.Errorf("long after, %+v is remembered", got)
	}
	for i := range maxKinds + 1 {
		p.past.note("busy", fmt.Sprint(i), 1, -1)
	}
	if len(p.past.kinds) != maxKinds || p.past.of("0") != nil || len(p.past.of("1")) != 1 {
		t.Errorf("%d kinds of runs are remembered, of the first %v, of the second %v", len(p.past.kinds), p.past.of("0"), p.past.of("1"))
	}
}

// FuzzRecall: whatever somebody wrote into a status, and however often it goes back and
// forth, means stay finite and never below zero.
func FuzzRecall(f *testing.F) {
	f.Add("ada", "cpu", 1.5, int64(3), "k", int64(60))
	f.Add("", "", -1.0, int64(-1), "", int64(-1))
	f.Fuzz(func(t *testing.T, user, resource string, mean float64, at int64, kind string, took int64) {
		if math.IsNaN(mean) || math.IsInf(mean, 0) {
			t.Skip("no quantity is such a number")
		}
		p := learner(t, 1000)
		past := Past{Queue: "busy", At: at, Mean: map[string]float64{resource: mean}, Users: []UserPast{{user, map[string]float64{resource: mean}}}, Runs: []PastRuns{{kind, []int64{took}}}}
		p.Recall(past)
		once := p.Past("busy")
		p.Recall(past)
		if diff := cmp.Diff(once, p.Past("busy")); diff != "" {
			t.Errorf("told twice (-once +twice):\n%s", diff)
		}
		for above := range p.queues["busy"].chain {
			if n := above.used.past(p.names.of(resource)); !(n >= 0) || math.IsInf(n, 0) {
				t.Errorf("queue %q used %g before", above.Name, n)
			}
		}
	})
}
