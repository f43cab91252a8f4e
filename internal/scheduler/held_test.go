// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

// heldBack is a pod of a gang that claims a device, as the admission policy leaves it.
func heldBack(name, gang string, change ...func(*corev1.Pod)) *corev1.Pod {
	return ourPod(name, append([]func(*corev1.Pod){labelled(slipwayv1.LabelGang, gang), labelled(slipwayv1.LabelPodSet, "worker"), func(p *corev1.Pod) {
		p.Spec.Containers[0].Resources = corev1.ResourceRequirements{Requests: quantities(1, 0)}
		p.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpu"}}
		p.Spec.SchedulerName = corev1.DefaultSchedulerName
		p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: slipwayv1.GateHeld}}
		p.Annotations[slipwayv1.AnnotationHeld] = "true"
	}}, change...)...)
}

// heldTo is the pod once it may be bound to a node, and to no other.
func heldTo(p *corev1.Pod, node string) *corev1.Pod {
	p = p.DeepCopy()
	p.Spec.Affinity, p.Spec.SchedulingGates = podset.Pinned(p.Spec.Affinity, node), nil
	return p
}

func TestPodsThatClaimAreHeldToTheirNode(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 0), newNode("n2", 8, 0))
	c.set(newDeviceClass("gpu", anyGPU))
	c.set(newSlice("n2", "h100", "h100"))
	c.set(claiming("g", 2, "gpu"))
	c.add(heldBack("a", "g"))
	c.does("hold a@n2")
	gated := func(p *corev1.Pod) {
		p.Spec.SchedulingGates = append(p.Spec.SchedulingGates, corev1.PodSchedulingGate{Name: "example.com/mine"})
	}
	c.add(heldBack("b", "g", gated))
	c.does()
	c.add(heldBack("b", "g"))
	c.does("hold b@n2")
	c.add(heldBack("c", "g"))
	c.does("c: the places of Gang ns/g are all taken")

	t.Run("after a restart, before they are bound", func(t *testing.T) {
		next := newCluster(t, newNode("n1", 8, 0), newNode("n2", 8, 0))
		next.set(newDeviceClass("gpu", anyGPU))
		next.set(newSlice("n2", "h100", "h100"))
		next.set(c.gang("g"))
		for _, p := range c.pods {
			next.add(p)
		}
		next.does("c: the places of Gang ns/g are all taken")
	})
	t.Run("one that is bound makes no room for another", func(t *testing.T) {
		bound := c.pods["a"].DeepCopy()
		bound.Spec.NodeName = "n2"
		c.add(bound)
		c.does()
	})
	t.Run("one that ends does", func(t *testing.T) {
		c.end("b")
		c.does("hold c@n2")
	})
}

// TestPodsThatClaimWithoutThePolicy are not bound: nobody would allocate their devices.
func TestPodsThatClaimWithoutThePolicy(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 0))
	c.set(newDeviceClass("gpu", anyGPU))
	c.set(newSlice("n1", "h100"))
	c.set(claiming("g", 1, "gpu"))
	c.add(heldBack("a", "g", func(p *corev1.Pod) {
		p.Spec.SchedulerName, p.Spec.SchedulingGates, p.Annotations = slipwayv1.SchedulerName, nil, nil
	}))
	c.does("a: " + notHeld)
}

// TestHeldPodThatSomebodyLetGo is Kubernetes' scheduler's alone.
func TestHeldPodThatSomebodyLetGo(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 0))
	c.set(newDeviceClass("gpu", anyGPU))
	c.set(newSlice("n1", "h100"))
	c.set(claiming("g", 1, "gpu"))
	c.add(heldBack("a", "g", func(p *corev1.Pod) { p.Spec.SchedulingGates = nil }))
	c.does()
}
