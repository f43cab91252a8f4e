// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"slipway.dev/slipway/internal/placement"
)

// noticed carries out what there is to do about a pod, and returns of which kind of
// reason there is an event.
func (c *cluster) noticed(name string) string {
	c.t.Helper()
	c.settle()
	e, _ := c.ledger.errand(types.NamespacedName{Namespace: "ns", Name: name})
	if m := c.ledger.member(e.uid); m != nil && e.notice != "" {
		m.noticed = e.notice
	}
	return e.notice
}

// TestWaitIsNoticedOnce for each kind of reason, however it is worded.
func TestWaitIsNoticedOnce(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 1))
	c.add(ourPod("a"))
	c.does("a@n1")
	c.add(ourPod("b"), ourPod("g-0", ofGroup("g", 3)), ourPod("g-1", ofGroup("g", 3)))
	for _, want := range []string{string(placement.InsufficientResources), ""} {
		if got := c.noticed("b"); got != want {
			t.Errorf("notices %q of b, want %q", got, want)
		}
		if got := c.noticed("g-0"); (got != "") != (want != "") {
			t.Errorf("notices %q of g-0 where b's is %q", got, want)
		}
	}
	c.set(newNode("n2", 1, 0))
	c.ledger.reword(maxReworded)
	if got := c.noticed("b"); got != "" {
		t.Errorf("notices %q of another wording", got)
	}
	c.add(ourPod("g-2", ofGroup("g", 3)))
	if got := c.noticed("g-0"); got != string(placement.NeverFits) && got != string(placement.InsufficientResources) {
		t.Errorf("notices %q of a group that is complete", got)
	}
}

// TestPreemptedSaysForWhom a pod without a Gang gives way.
func TestPreemptedSaysForWhom(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 1))
	c.add(ourPod("low"))
	c.does("low@n1")
	c.add(ourPod("high", ranked(5)))
	c.settle()
	c.ledger.plan()
	e, is := c.ledger.errand(types.NamespacedName{Namespace: "ns", Name: "low"})
	if want := "gave its places to ns/pod/high, which has priority 5"; !is || e.delete != want {
		t.Errorf("is deleted since it %q, want %q", e.delete, want)
	}
}
