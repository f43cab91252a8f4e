// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"testing"
)

// A group of pods that all differ is a gang with as many sets: to place each on the way
// to the next is no search, and costs little even if each must be near to all others.
func TestManySets(t *testing.T) {
	for _, near := range []bool{false, true} {
		p := New()
		for i := range 100 {
			p.SetNode(Node{Name: fmt.Sprint("n", i), Ready: true, Allocatable: Resources{"cpu": 100, "pods": 110},
				Labels: map[string]string{"zone": "a", hostname: fmt.Sprint("n", i)}})
		}
		g := Gang{Key: "g"}
		for i := range 300 {
			s := PodSet{Name: fmt.Sprint("s", i), Count: 1, Namespace: namespace,
				Labels: map[string]string{"app": "x", "index": fmt.Sprint(i)}, Shape: Shape{Requests: Resources{"cpu": int64(1 + i%7)}}}
			if near && i < 64 {
				peers := Peers{Namespaces: []string{namespace}, Labels: []Requirement{{Key: "index", Operator: In, Values: []string{fmt.Sprint(i + 1)}}}}
				s.Shape.Near = []PeerTerm{{peers, "zone"}}
			}
			g.Sets = append(g.Sets, s)
		}
		if err := p.SetGang(g); err != nil {
			t.Fatal(err)
		}
		for _, v := range p.Decide() {
			if v.State != Placed {
				t.Errorf("near %t: %s: %s", near, v.State, v.Reason)
			}
		}
	}
}
