// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "testing"

// checkFrees: no node gets back more than a gang takes of it, when what remains of it has ended
// and then the gang.
func (w *world) checkFrees() {
	for _, n := range w.p.nodes {
		freed := map[string]vector{}
		for _, e := range w.p.endings() {
			v := freed[e.gang.Key]
			v.plus(e.frees(n))
			freed[e.gang.Key] = v
		}
		for key, v := range freed {
			takes := n.accounts[key].whole()
			for i, got := range v {
				if got < 0 || got > takes.at(i) {
					w.t.Errorf("%s gives %d %s of node %s back, and takes %d", key, got, w.p.names.list[i], n.Name, takes.at(i))
				}
			}
		}
	}
}

// TestShedTwice: what an elastic gang gave up while it runs on is free when the pods there have
// ended, and not once more when the gang has. So others may not count on it.
func TestShedTwice(t *testing.T) {
	s := newScene(t)
	s.SetNode(Node{Name: "n", Ready: true, Allocatable: Resources{"gpu": 4, pods: 9}})
	elastic := Gang{Key: "elastic", Created: 1, Started: 1, Limit: 1000, Placement: []SetPlacement{{"w", []Slot{{"n", 4}}}}}
	elastic.Sets = []PodSet{{Name: "w", Count: 4, Optional: 3, Shape: Shape{Requests: Resources{"gpu": 1}}}}
	if err := s.SetGang(elastic); err != nil {
		t.Fatal(err)
	}
	for rank, key := range []string{"a", "b", "c", "d"} {
		s.Bind(Pod{Key: key, Node: "n", Gang: "elastic", Set: "w", Rank: int32(rank), Requests: Resources{"gpu": 1}})
	}
	s.comes(Gang{Key: "heir", Created: 2, Limit: 5000}, 2, "gpu")
	s.Advance(10)
	s.Settle()
	n := s.byName["n"]
	var freed vector
	for _, e := range s.endings() {
		freed.plus(e.frees(n))
	}
	if got := freed.at(s.names.of("gpu")); got != 4 || s.gangs["elastic"].holds != 2 {
		t.Errorf("it holds %d places, and 4 GPUs are %d when its pods have ended", s.gangs["elastic"].holds, got)
	}
}
