// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// TestWaitingCountsAll: gangs that can never start, and pods that room alone does not bring,
// wait in their project, too.
func TestWaitingCountsAll(t *testing.T) {
	of := func(name string, gpu int64) *slipwayv1.Gang {
		g := newGang(name, 1, gpu)
		g.Spec.Project = "p"
		return g
	}
	absurd := of("absurd", 1)
	absurd.Spec.PodSets[0].Requests[corev1.ResourceCPU] = resource.MustParse("-1")
	in := labelled(slipwayv1.LabelProject, "p")
	s := &snapshot.Snapshot{Taken: noon, Nodes: []*corev1.Node{newNode("n1", 8, 4)}, Projects: []*slipwayv1.Project{limited("p", 8)},
		Gangs: []*slipwayv1.Gang{of("runs", 4), of("waits", 1), of("large", 5), of("above-limit", 9), absurd},
		Pods:  []*corev1.Pod{ourPod("few-0", ofGroup("few", 2), in)}}
	if status, _ := Decide(s).ProjectStatus("p"); status.Placed != 1 || status.Waiting != 5 {
		t.Errorf("%d are placed and %d wait, want 1 and 5", status.Placed, status.Waiting)
	}
}
