// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// worker is a gang of one pod set.
func worker(key, queue, user string, created int64, pods int32, cpus int64) Gang {
	return Gang{Key: key, Queue: queue, User: user, Created: created, Sets: []PodSet{
		{Name: "w", Count: pods, Shape: Shape{Requests: Resources{"cpu": cpus * 1000}}}}}
}

// TestReports what is on a node, who uses a queue, and whose turn is next.
func TestReports(t *testing.T) {
	p := New()
	p.SetNode(Node{Name: "n1", Ready: true, Allocatable: Resources{"cpu": 8000, "pods": 10}})
	if err := p.SetQueue(Queue{Name: "lab"}); err != nil {
		t.Fatal(err)
	}
	for _, g := range []Gang{worker("ns/a", "lab", "ada", 1, 2, 2), worker("ns/b", "lab", "bob", 2, 1, 1)} {
		if err := p.SetGang(g); err != nil {
			t.Fatal(err)
		}
	}
	p.Bind(Pod{Key: "p", Node: "n1", Requests: Resources{"cpu": 500}})
	p.Bind(Pod{Key: "left", Node: "n1", Gang: "ns/gone", Requests: Resources{"cpu": 500}})
	p.Decide()
	want := Holding{Taken: Resources{"cpu": 6000, "pods": 5}, Gangs: []string{"ns/a", "ns/b"}}
	if diff := cmp.Diff(want, p.Holding("n1")); diff != "" {
		t.Errorf("on n1 (-want +got):\n%s", diff)
	}
	if got := p.Holding("n2"); got.Taken != nil || got.Gangs != nil {
		t.Errorf("on a node that nobody told of: %+v", got)
	}
	if diff := cmp.Diff(map[string]int64{"ada": 4000, "bob": 1000}, p.UsedBy("lab", "cpu", "")); diff != "" {
		t.Errorf("used by (-want +got):\n%s", diff)
	}
	if got := p.UsedBy("none", "cpu", ""); len(got) != 0 {
		t.Errorf("a queue that is not there is used by %v", got)
	}

	urgent := worker("ns/urgent", "lab", "ada", 9, 8, 1)
	urgent.Priority = 1
	for _, g := range []Gang{worker("ns/ada", "lab", "ada", 3, 8, 1), worker("ns/bob", "lab", "bob", 4, 8, 1), urgent} {
		if err := p.SetGang(g); err != nil {
			t.Fatal(err)
		}
	}
	p.Decide()
	if diff := cmp.Diff([]string{"ns/urgent", "ns/bob", "ns/ada"}, p.Turns()); diff != "" {
		t.Errorf("turns (-want +got):\n%s", diff)
	}
}
