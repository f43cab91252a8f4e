// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package fakenode

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func TestStatuses(t *testing.T) {
	pod := &corev1.Pod{}
	pod.Spec.Containers = []corev1.Container{{Name: "a"}, {Name: "b"}}
	now := time.Unix(100, 0)
	for _, c := range []struct {
		name   string
		status corev1.PodStatus
		phase  corev1.PodPhase
		ready  bool
	}{
		{"running", running(pod, now), corev1.PodRunning, true},
		{"succeeded", succeeded(pod, now), corev1.PodSucceeded, false},
	} {
		if c.status.Phase != c.phase || len(c.status.ContainerStatuses) != 2 {
			t.Errorf("%s: phase %s with %d containers, want %s with 2", c.name, c.status.Phase, len(c.status.ContainerStatuses), c.phase)
		}
		for _, container := range c.status.ContainerStatuses {
			if container.Ready != c.ready || (container.State.Terminated == nil) != c.ready {
				t.Errorf("%s: container %s is %+v", c.name, container.Name, container)
			}
		}
	}
}

func TestNode(t *testing.T) {
	for _, c := range []struct {
		i           int
		rack, block string
	}{
		{0, "rack-0000", "block-00"},
		{NodesPerRack, "rack-0001", "block-00"},
		{NodesPerBlock, "rack-0016", "block-01"},
	} {
		node := Node(c.i)
		if node.Labels[LabelRack] != c.rack || node.Labels[LabelBlock] != c.block {
			t.Errorf("node %d is in %s and %s, want %s and %s", c.i, node.Labels[LabelRack], node.Labels[LabelBlock], c.rack, c.block)
		}
	}
}
