// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// TestMoreThanCanBeCounted in one pod is too much for every node, not what is left over of it.
func TestMoreThanCanBeCounted(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 2))
	absurd := ourPod("absurd", func(p *corev1.Pod) {
		p.Spec.Containers = nil
		for _, name := range []string{"9223372036854775807", "9223372036854775806", "4"} {
			p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: name, Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{"nvidia.com/gpu": resource.MustParse(name)}}})
		}
	})
	c.add(absurd)
	if did := c.rest(); strings.Contains(did, "@") {
		t.Errorf("did %s", did)
	}
	c.end("absurd")
	absurd = absurd.DeepCopy()
	absurd.Spec.NodeName = "n1"
	c.add(absurd, ourPod("next"))
	if did := c.rest(); strings.Contains(did, "next@") {
		t.Errorf("did %s, beside what takes more than the node has", did)
	}
}
