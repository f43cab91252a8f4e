// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"testing"
)

// guarantee so much to the queue owner, and nothing to the queue borrower.
func (s scene) guarantee(resource string, most int64) {
	s.Helper()
	for _, q := range []Queue{{Name: "owner", Quota: []Quota{{Resource: resource, Guaranteed: most, Limit: Unlimited}}}, {Name: "borrower"}} {
		if err := s.SetQueue(q); err != nil {
			s.Fatal(err)
		}
	}
}

// makesRoom on a node for an heir, which waits for it since before a restart, and for another one
// that is free.
func (s scene) makesRoom(node string, promised int64) {
	s.Helper()
	s.guarantee("gpu", 2)
	s.comes(Gang{Key: "victim", Queue: "borrower", Created: 1, Stopped: 5, Waits: true, GaveWayTo: []string{"heir"}}, 1, "gpu")
	s.Bind(Pod{Key: "victim-0", Node: node, Gang: "victim", Set: "w", Requests: Resources{"gpu": 1}})
	s.comes(Gang{Key: "heir", Queue: "owner", Created: 2, Limit: 500, Waits: true, Promised: promised}, 2, "gpu")
}

// TestHeirIsPromisedOnce what is made for it, also where it comes with a promise: with two it is
// taken to have ended before others need the place.
func TestHeirIsPromisedOnce(t *testing.T) {
	for name, promised := range map[string]int64{"with no promise": 0, "with a promise": 1} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "gpu", "gpu")
			s.makesRoom("n0", promised)
			s.comes(Gang{Key: "fills", Queue: "borrower", Created: 3, Limit: 300}, 1, "gpu")
			s.Advance(10)
			s.Settle()
			s.Unbind("victim-0")
			s.Advance(40)
			if !s.gangs["heir"].runs() || s.gangs["fills"].runs() {
				t.Errorf("the heir runs: %t, and another one on its places: %t", s.gangs["heir"].runs(), s.gangs["fills"].runs())
			}
		})
	}
}

// TestRestartKeepsPromises of all that come with one, however few those are for whom room is made.
func TestRestartKeepsPromises(t *testing.T) {
	for name, heir := range map[string]bool{"nobody gave way": false, "room is made": true} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "a", "a", "b", "b", "c", "c", "gpu", "gpu")
			if heir {
				s.makesRoom("n6", 0)
			}
			resources := []string{"a", "b", "c"}
			for i, r := range resources {
				on := []SetPlacement{{"w", []Slot{{fmt.Sprint("n", 2*i), 1}}}}
				s.comes(Gang{Key: "runs " + r, Created: 1, Started: 1, Limit: 1000, Placement: on}, 1, r)
				s.comes(Gang{Key: "promised " + r, Created: 3, Limit: 500, Waits: true, Promised: int64(i + 2)}, 2, r)
				s.comes(Gang{Key: "fills " + r, Created: 2}, 1, r)
			}
			s.Advance(10)
			for _, r := range resources {
				if s.gangs["promised "+r].promise == nil || s.gangs["fills "+r].runs() {
					t.Errorf("the promise of a start on %s is forgotten", r)
				}
			}
		})
	}
}

// TestRestartKeepsTheMoments of starts, in whatever order they were promised: who was promised its
// own first does not take what another one has before that, be it free sooner.
func TestRestartKeepsTheMoments(t *testing.T) {
	s := newScene(t, "gpu")
	s.comes(Gang{Key: "runs", Created: 1, Started: 1, Limit: 99, Placement: []SetPlacement{{"w", []Slot{{"n0", 1}}}}}, 1, "gpu")
	s.comes(Gang{Key: "first", Created: 2, Limit: 500, Waits: true, Promised: 1, PromisedAt: 200}, 1, "gpu")
	s.comes(Gang{Key: "second", Created: 3, Limit: 50, Waits: true, Promised: 2, PromisedAt: 100}, 1, "gpu")
	s.Advance(10)
	s.planned("first", 200)
	s.planned("second", 100)
	s.Settle()
	s.planned("first", 150)
	s.planned("second", 100)
}

// TestMomentIsOfTheFirstTelling: what the object of a gang says that is known tells nothing new.
func TestMomentIsOfTheFirstTelling(t *testing.T) {
	s := newScene(t, "gpu")
	s.submit("runs", 1, 1, "gpu", 100)
	s.Advance(0)
	s.submit("waits", 2, 1, "gpu", 50)
	s.Settle()
	longer := Gang{Key: "waits", Created: 2, Limit: 60, Waits: true, Promised: 1, PromisedAt: 200} // which is another promise
	s.comes(longer, 1, "gpu")
	s.Settle()
	s.planned("waits", 100)
}
