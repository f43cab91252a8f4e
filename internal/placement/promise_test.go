// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"slices"
	"testing"
)

// scene is a small cluster in which gangs ask for whole nodes.
type scene struct {
	*testing.T
	*Picture
}

func newScene(t *testing.T, resources ...string) scene {
	s := scene{t, New()}
	for i, r := range resources {
		s.SetNode(Node{Name: fmt.Sprint("n", i), Ready: true, Allocatable: Resources{r: 1, pods: 10}})
	}
	return s
}

// submit a gang that asks for so many nodes that have a resource, for at most so long.
func (s scene) submit(key string, created int64, count int32, resource string, limit int64) {
	s.Helper()
	s.comes(Gang{Key: key, Created: created, Limit: limit}, count, resource)
}

// comes a gang that asks for so many nodes that have a resource, with what its object says.
func (s scene) comes(g Gang, count int32, resource string) {
	s.Helper()
	g.Sets = []PodSet{{Name: "w", Count: count, Shape: Shape{Requests: Resources{resource: 1}}}}
	if err := s.SetGang(g); err != nil {
		s.Fatal(err)
	}
}

func (s scene) states(now int64) map[string]State {
	all := map[string]State{}
	for _, v := range s.Advance(now) {
		all[v.Gang] = v.State
	}
	return all
}

func (s scene) planned(key string, want int64) {
	s.Helper()
	if at, is := s.PlannedStart(key); !is || at.At != want {
		s.Errorf("%s is promised to start at %d (%t), want %d", key, at.At, is, want)
	}
}

// TestBackfillUntilNeeded: n1 is promised for 1000 and n2 for 100. Who ends between is
// let onto n1.
func TestBackfillUntilNeeded(t *testing.T) {
	s := newScene(t, "gpu", "gpu", "fpga")
	s.submit("runs long", 1, 1, "gpu", 1000)
	s.submit("runs short", 1, 1, "fpga", 100)
	s.states(0)
	s.submit("large", 2, 2, "gpu", 10)
	s.submit("small", 3, 1, "fpga", 10)
	s.states(0)
	s.Plan(2)
	s.planned("large", 1000)
	s.planned("small", 100)
	s.submit("too long", 4, 1, "gpu", 1001)
	s.submit("in time", 5, 1, "gpu", 1000)
	if got := s.states(0); got["too long"] != Waiting || got["in time"] != Placed {
		t.Errorf("got %v, want only the one placed that ends in time", got)
	}
	s.Plan(2)
	s.planned("large", 1000)
}

// TestNobodyWaitsForItself: red gives way and waits for the gang that took its place; its
// own pod, which is still on the way out, is not said to be another gang.
func TestNobodyWaitsForItself(t *testing.T) {
	s := newScene(t, "gpu")
	s.submit("red", 1, 1, "gpu", 1000)
	s.states(0)
	s.Bind(Pod{Key: "red-0", Node: "n0", Gang: "red", Set: "w", Requests: Resources{"gpu": 1}})
	top := Gang{Key: "top", Created: 2, Priority: 1, Limit: 500, Sets: []PodSet{
		{Name: "w", Count: 1, Shape: Shape{Requests: Resources{"gpu": 1}}}}}
	if err := s.SetGang(top); err != nil {
		t.Fatal(err)
	}
	s.states(10)
	if len(s.Evict(1)) == 0 {
		t.Fatal("nobody gives way")
	}
	s.states(10)
	s.Plan(2)
	for key, want := range map[string][]string{"top": {"red"}, "red": {"top"}} {
		if start, is := s.PlannedStart(key); !is || !slices.Equal(start.After, want) {
			t.Errorf("%s is promised to start after %v (%t), want %v", key, start.After, is, want)
		}
	}
}

// TestOverrun: at 400 one gang has been over its limit for 300 s and is expected to go
// on for as long; another ends at 500, and its place is promised.
func TestOverrun(t *testing.T) {
	s := newScene(t, "gpu", "gpu")
	s.submit("over", 1, 1, "gpu", 100)
	s.submit("in time", 2, 1, "gpu", 500)
	s.states(0)
	s.submit("waits", 3, 1, "gpu", 10)
	s.states(400)
	s.Plan(1)
	s.planned("waits", 500)
	s.DeleteGang("in time")
	s.submit("again", 2, 1, "gpu", 5000)
	s.submit("behind", 4, 1, "gpu", 10)
	s.states(401)
	s.Plan(2)
	s.planned("behind", 401+301)
}

// TestWithdrawnPromise: who waited for its sake alone is tried again at once, though nothing else
// happens.
func TestWithdrawnPromise(t *testing.T) {
	s := newScene(t, "gpu", "gpu")
	s.submit("runs", 1, 1, "gpu", 1000)
	s.states(10)
	s.submit("large", 2, 2, "gpu", 0)
	s.states(20)
	s.Settle()
	s.planned("large", 1010)
	s.submit("small", 3, 1, "gpu", 0)
	if got := s.states(25); got["small"] != Waiting {
		t.Errorf("it is %v where it delays what is promised", got["small"])
	}
	s.submit("runs", 1, 1, "gpu", 0) // Nobody knows any more when it ends.
	s.states(30)
	s.Settle()
	if at, is := s.PlannedStart("large"); is || !s.gangs["small"].runs() {
		t.Errorf("a start is promised at %d (%t), and who waits for it runs: %t", at.At, is, s.gangs["small"].runs())
	}
}

// TestPromisesAreKeptBesideOthers: who leads takes no promise from those who borrow and were given
// one before, however many may be given.
func TestPromisesAreKeptBesideOthers(t *testing.T) {
	s := newScene(t, "gpu", "gpu")
	s.guarantee("gpu", 1)
	for i, key := range []string{"runs", "runs longer"} {
		on := []SetPlacement{{"w", []Slot{{fmt.Sprint("n", i), 1}}}}
		s.comes(Gang{Key: key, Started: 1, Limit: 99 + 100*int64(i), Protected: 1000, Placement: on}, 1, "gpu")
	}
	s.comes(Gang{Key: "borrower", Queue: "borrower", Created: 1, Limit: 500}, 1, "gpu")
	s.Advance(10)
	s.Plan(1)
	s.planned("borrower", 100)
	s.comes(Gang{Key: "owner", Queue: "owner", Created: 2, Limit: 500}, 1, "gpu")
	s.Advance(11)
	s.Plan(1)
	s.planned("owner", 100)
	s.planned("borrower", 200)
}
