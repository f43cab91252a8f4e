// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "testing"

// checkFrees: no node gets back more than a gang takes of it, when what remains of it has ended
// and then the gang.
func checkFrees(t *testing.T, p *Picture) {
	t.Helper()
	for _, n := range p.nodes {
		freed := map[string]vector{}
		for _, e := range p.endings() {
			v := freed[e.gang.Key]
			v.plus(e.frees(n))
			freed[e.gang.Key] = v
		}
		for key, v := range freed {
			takes := n.accounts[key].whole()
			for i, got := range v {
				if got < 0 || got > takes.at(i) {
					t.Errorf("%s gives %d %s of node %s back, and takes %d", key, got, p.names.list[i], n.Name, takes.at(i))
				}
			}
		}
	}
}

// TestShedTwice: what an elastic gang gave up while it runs on is free when the pods there have
// ended, and not once more when the gang has; and what its pods elsewhere ask for beyond their
// places ends with it alone.
func TestShedTwice(t *testing.T) {
	s := newScene(t)
	for _, node := range []string{"m", "n"} {
		s.SetNode(Node{Name: node, Ready: true, Allocatable: Resources{"gpu": 4, pods: 9}})
	}
	elastic := Gang{Key: "elastic", Created: 1, Started: 1, Limit: 1000, Placement: []SetPlacement{{"w", []Slot{{"m", 1}, {"n", 4}}}}}
	elastic.Sets = []PodSet{{Name: "w", Count: 5, Optional: 4, Shape: Shape{Requests: Resources{"gpu": 1}}}}
	if err := s.SetGang(elastic); err != nil {
		t.Fatal(err)
	}
	s.Bind(Pod{Key: "greedy", Node: "m", Gang: "elastic", Set: "w", Requests: Resources{"gpu": 3}})
	for rank, key := range []string{"a", "b", "c", "d"} {
		s.Bind(Pod{Key: key, Node: "n", Gang: "elastic", Set: "w", Rank: int32(rank + 1), Requests: Resources{"gpu": 1}})
	}
	s.comes(Gang{Key: "heir", Created: 2, Limit: 5000}, 3, "gpu")
	s.Advance(10)
	s.Settle()
	if holds := s.gangs["elastic"].holds; holds != 3 {
		t.Fatalf("it holds %d places, want 3", holds)
	}
	checkFrees(t, s.Picture)
}
