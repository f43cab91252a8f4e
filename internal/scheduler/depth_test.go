// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"testing"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// TestProjectsTooDeep: the one that makes the tree too deep says so, and what waits for it,
// until one above it has another parent.
func TestProjectsTooDeep(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 4))
	for i := range 33 {
		c.set(inChain(i, i-1))
	}
	c.add(ourPod("job", labelled(slipwayv1.LabelProject, "p0032")))
	c.does("job: project p0032 cannot be used: parent p0031 makes the tree of projects 33 levels deep, and at most 32 are possible; " +
		"give it, or one above or below it, a parent further up")
	moved := inChain(5, -1)
	moved.Generation = 2
	c.set(moved)
	c.does("job@n1")
}

// BenchmarkProjects is what it takes to hear of 3,000 projects: each the parent of the next,
// which most are refused for, and all of one.
func BenchmarkProjects(b *testing.B) {
	for _, shape := range []struct {
		name   string
		parent func(i int) int
	}{{"chain", func(i int) int { return i - 1 }}, {"flat", func(int) int { return 0 }}} {
		b.Run(shape.name, func(b *testing.B) {
			for b.Loop() {
				l := newLedger()
				for i := range 3000 {
					l.set(inChain(i, shape.parent(i)))
				}
			}
		})
	}
}

// inChain is project i of many, below another one unless that is itself or none.
func inChain(i, parent int) *slipwayv1.Project {
	p := limited(fmt.Sprintf("p%04d", i), 4)
	if parent >= 0 && parent != i {
		p.Spec.Parent = fmt.Sprintf("p%04d", parent)
	}
	return p
}
