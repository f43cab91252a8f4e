// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "testing"

// TestRoomOfAnotherShape: who asks for something else than when others gave way to it has no room that was found
// for that, and starts where it then fits.
func TestRoomOfAnotherShape(t *testing.T) {
	set := func(name string, count int32) PodSet {
		return PodSet{Name: name, Count: count, Shape: Shape{Requests: Resources{"gpu": 1}}}
	}
	for name, sets := range map[string][]PodSet{
		"a set less": {set("x", 1)}, "sets in another order": {set("y", 1), set("x", 1)}, "a set that is empty": {set("x", 2), set("y", 0)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "gpu", "gpu")
			for _, key := range []string{"a", "b"} {
				s.comes(Gang{Key: key, Created: 1}, 1, "gpu")
				s.Advance(10)
				at, _ := s.nodeOf(key, 0)
				s.Bind(Pod{Key: key, Node: at, Gang: key, Set: "w", Requests: Resources{"gpu": 1}})
			}
			heir := Gang{Key: "heir", Created: 2, Priority: 1, Sets: []PodSet{set("x", 1), set("y", 1)}}
			s.place(heir)
			if s.Settle(); !s.gangs["heir"].isAwaited() {
				t.Fatal("no room was found for it")
			}
			heir.Sets = sets
			s.place(heir)
			s.Advance(21)
			s.Settle()
			s.Unbind("a")
			s.Unbind("b")
			if s.Advance(22); !s.gangs["heir"].runs() {
				t.Errorf("it waits: %v", s.gangs["heir"].told)
			}
		})
	}
}
