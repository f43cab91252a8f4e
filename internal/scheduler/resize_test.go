// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"testing"

	"slipway.dev/slipway/internal/placement"
)

// TestGroupThatRunsIsToldToBeLarger: it runs on, and who joins it waits for room alone.
func TestGroupThatRunsIsToldToBeLarger(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 2))
	c.add(ourPod("a", ofGroup("g", 2)), ourPod("b", ofGroup("g", 2)))
	c.does("a@n1", "b@n1")
	for _, name := range []string{"a", "b"} {
		p := c.pods[name].DeepCopy()
		p.Labels[labelGroupLeast] = fmt.Sprint(3)
		c.add(p)
	}
	c.add(ourPod("c", ofGroup("g", 3)))
	c.rest()
	g := c.ledger.groups["ns/group/g"]
	if g.state != placement.Placed || g.started == 0 {
		t.Errorf("it is told %s, and started at %d", g.state, g.started)
	}
}
