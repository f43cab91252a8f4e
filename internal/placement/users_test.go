// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"testing"
)

// TestUsersAreForgotten before they fill the memory, those first who used least.
func TestUsersAreForgotten(t *testing.T) {
	p := New()
	p.SetNode(Node{Name: "n", Ready: true, Allocatable: Resources{"a/gpu": 8, pods: 9}})
	now := int64(0)
	run := func(user string, gpus, seconds int64) {
		g := Gang{Key: "g", User: user, Sets: []PodSet{{Name: "w", Count: 1, Shape: Shape{Requests: Resources{"a/gpu": gpus}}}}}
		if err := p.SetGang(g); err != nil {
			t.Fatal(err)
		}
		p.Advance(now)
		now += seconds
		p.Advance(now)
		p.DeleteGang("g")
	}
	run("heavy", 8, 100_000)
	for i := range 2 * maxUsers {
		run(fmt.Sprint("u", i), 1, 10)
	}
	if n := len(p.root.users); n > maxUsers {
		t.Errorf("%d users are remembered, and should be at most %d", n, maxUsers)
	}
	if p.root.users["heavy"] == nil {
		t.Error("who used most is forgotten")
	}
}

// TestNobodyRemembersAProjectThatIsGone once its last gang is.
func TestNobodyRemembersAProjectThatIsGone(t *testing.T) {
	p := New()
	p.SetNode(Node{Name: "n", Ready: true, Allocatable: Resources{"a/gpu": 8, pods: 9}})
	if err := p.SetQueue(Queue{Name: "q", Parent: "above"}); err != nil {
		t.Fatal(err)
	}
	g := Gang{Key: "g", Queue: "q", User: "u", Sets: []PodSet{{Name: "w", Count: 1, Shape: Shape{Requests: Resources{"a/gpu": 1}}}}}
	if err := p.SetGang(g); err != nil {
		t.Fatal(err)
	}
	p.Advance(1)
	p.Advance(1000)
	p.DeleteQueue("q")
	p.DeleteGang("g")
	if len(p.queues) > 0 || len(p.root.below) > 0 {
		t.Errorf("%d queues are remembered", len(p.queues))
	}
}
