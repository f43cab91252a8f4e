// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

// heldBack is a pod that claims a device, as the admission policy leaves it.
func heldBack(name string, change ...func(*corev1.Pod)) *corev1.Pod {
	return ourPod(name, append([]func(*corev1.Pod){func(p *corev1.Pod) {
		p.Spec.Containers[0].Resources = corev1.ResourceRequirements{Requests: quantities(1, 0)}
		p.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpu", ResourceClaimTemplateName: ptr.To("gpu")}}
		p.Spec.SchedulerName = corev1.DefaultSchedulerName
		p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: slipwayv1.GateHeld}}
		p.Labels[slipwayv1.LabelHeld] = "true"
	}}, change...)...)
}

// inGang is a worker of it.
func inGang(gang string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Labels[slipwayv1.LabelGang], p.Labels[slipwayv1.LabelPodSet] = gang, "worker" }
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
	c.set(claimTemplate("gpu", "gpu"))
	c.add(heldBack("a", inGang("g")))
	c.does("hold a@n2")
	gated := func(p *corev1.Pod) {
		p.Spec.SchedulingGates = append(p.Spec.SchedulingGates, corev1.PodSchedulingGate{Name: "example.com/mine"})
	}
	c.add(heldBack("b", inGang("g"), gated))
	c.does()
	c.add(heldBack("b", inGang("g")))
	c.does("hold b@n2")
	c.add(heldBack("c", inGang("g")))
	c.does("c: the places of Gang ns/g are all taken")

	t.Run("after a restart, before they are bound", func(t *testing.T) {
		next := newCluster(t, newNode("n1", 8, 0), newNode("n2", 8, 0))
		next.set(newDeviceClass("gpu", anyGPU))
		next.set(newSlice("n2", "h100", "h100"))
		next.set(claimTemplate("gpu", "gpu"))
		next.set(c.gang("g"))
		for _, p := range c.pods {
			next.add(p)
		}
		next.does("c: the places of Gang ns/g are all taken")
	})
	t.Run("one that is bound makes no room for another", func(*testing.T) {
		bound := c.pods["a"].DeepCopy()
		bound.Spec.NodeName = "n2"
		c.add(bound)
		c.does()
	})
	t.Run("one that ends does", func(*testing.T) {
		c.end("b")
		c.does("hold c@n2")
	})
}

// newDeviceCluster has one node with devices of these models, their class, and a template of
// claims for one of them.
func newDeviceCluster(t *testing.T, models ...string) *cluster {
	c := newCluster(t, newNode("n1", 8, 0))
	c.set(newDeviceClass("gpu", anyGPU))
	c.set(claimTemplate("gpu", "gpu"))
	c.set(newSlice("n1", models...))
	return c
}

// claimTemplate of one device of a class.
func claimTemplate(name, class string) *resourcev1.ResourceClaimTemplate {
	o := &resourcev1.ResourceClaimTemplate{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns"}}
	o.Spec.Spec.Devices.Requests = []resourcev1.DeviceRequest{{Name: "one", Exactly: &resourcev1.ExactDeviceRequest{DeviceClassName: class}}}
	return o
}

// TestPodsOfNoGangThatClaim are counted by the templates of their claims, alone and in groups, and
// once when they have what they claim.
func TestPodsOfNoGangThatClaim(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 0), newNode("n2", 8, 0))
	c.set(newSlice("n2", "h100", "h100", "h100"))
	c.add(heldBack("a"))
	c.does("a: spec.resourceClaims[0].resourceClaimTemplateName: there is no ResourceClaimTemplate gpu; make it or name another")
	c.set(claimTemplate("gpu", "gpu"))
	c.does("a: spec.resourceClaims: devices[0]: there is no DeviceClass gpu; make it or name another")
	c.set(newDeviceClass("gpu", anyGPU))
	c.does("hold a@n2")
	c.set(newClaim("a", "a", "n2", "0"))
	c.add(heldBack("b", ofGroup("g", 3)), heldBack("c", ofGroup("g", 3)), heldBack("d", ofGroup("g", 3)))
	const why = ": needs 3 pods of 1 cpu and 1 gpu.deviceclass.resource.k8s.io/devices each at once; 2 fit now: 1 node has no gpu.deviceclass.resource.k8s.io/devices"
	c.does("b"+why, "c"+why, "d"+why)
	c.end("a")
	c.ledger.remove(newClaim("a", "a", "n2", "0"))
	c.does("hold b@n2", "hold c@n2", "hold d@n2")
	c.add(heldBack("e"))
	c.does("e: needs 1 pod of 1 cpu and 1 gpu.deviceclass.resource.k8s.io/devices; none fits now: 1 node has too little gpu.deviceclass.resource.k8s.io/devices (0 free of 3), 1 node has no gpu.deviceclass.resource.k8s.io/devices")
}

// TestTemplateAfterItsPod: at a start the template of a pod's claims may be heard of last.
func TestTemplateAfterItsPod(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 0))
	c.set(newDeviceClass("gpu", anyGPU))
	c.set(newSlice("n1", "h100"))
	c.add(heldBack("a"))
	c.set(claimTemplate("gpu", "gpu"))
	c.does("hold a@n1")
}

// TestPodsThatClaimGiveWay: what they have counts until it is free, beside what their group gets.
func TestPodsThatClaimGiveWay(t *testing.T) {
	c := newDeviceCluster(t, "h100")
	c.add(heldBack("low"))
	c.does("hold low@n1")
	c.set(newClaim("low", "low", "n1", "0"))
	c.add(heldBack("high", ranked(5)))
	c.settle()
	c.ledger.plan()
	if did := c.rest(); !strings.Contains(did, "delete low") {
		t.Fatalf("did:\n%s", did)
	}
	if did := c.rest(); strings.Contains(did, "hold high") {
		t.Errorf("held where the device still is another's:\n%s", did)
	}
	c.ledger.remove(newClaim("low", "low", "n1", "0"))
	c.does("hold high@n1")
	t.Run("what devices are called changes when it is over", func(*testing.T) {
		c.set(newDeviceClass("other", anyGPU))
		c.does()
		c.ledger.remove(newDeviceClass("gpu", anyGPU))
		c.does()
	})
}

// TestPodsThatClaimWithoutThePolicy are not bound: nobody would allocate their devices.
func TestPodsThatClaimWithoutThePolicy(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 0))
	c.set(newDeviceClass("gpu", anyGPU))
	c.set(newSlice("n1", "h100"))
	c.set(claiming("g", 1, "gpu"))
	c.add(heldBack("a", inGang("g"), func(p *corev1.Pod) {
		p.Spec.SchedulerName, p.Spec.SchedulingGates = slipwayv1.SchedulerName, nil
		delete(p.Labels, slipwayv1.LabelHeld)
	}))
	c.does("a: " + notHeld)
}

// TestHeldPodThatSomebodyLetGo is Kubernetes' scheduler's alone.
func TestHeldPodThatSomebodyLetGo(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 0))
	c.set(newDeviceClass("gpu", anyGPU))
	c.set(newSlice("n1", "h100"))
	c.set(claiming("g", 1, "gpu"))
	c.add(heldBack("a", inGang("g"), func(p *corev1.Pod) { p.Spec.SchedulingGates = nil }))
	c.does()
}

// TestHeldPodThatLosesItsNode before it is bound goes, so that another one is made: nothing else
// would ever happen to it.
func TestHeldPodThatLosesItsNode(t *testing.T) {
	for name, change := range map[string]func(*corev1.Pod){"alone": func(*corev1.Pod) {}, "of a gang": inGang("g")} {
		t.Run(name, func(t *testing.T) {
			c := newDeviceCluster(t, "h100")
			c.set(claiming("g", 1, "gpu"))
			if name == "alone" {
				c.ledger.remove(c.gang("g"))
			}
			c.add(heldBack("a", change))
			c.does("hold a@n1")
			c.set(newNode("n2", 8, 0))
			c.set(newSlice("n2", "h100"))
			c.ledger.remove(newNode("n1", 8, 0))
			c.does("delete a")
			c.add(heldBack("b", change))
			c.does("hold b@n2")
		})
	}
}

// TestHeldPodThatEndedWell did its part in its group, as one that is bound here.
func TestHeldPodThatEndedWell(t *testing.T) {
	c := newDeviceCluster(t, "h100", "h100", "h100")
	c.add(heldBack("a", ofGroup("g", 2)), heldBack("b", ofGroup("g", 2)))
	c.does("hold a@n1", "hold b@n1")
	done := c.pods["a"].DeepCopy()
	done.Spec.NodeName, done.Status.Phase = "n1", corev1.PodSucceeded
	c.add(done)
	c.end("b")
	c.add(heldBack("b2", ofGroup("g", 2)))
	c.does("hold b2@n1")
}

// TestGateOpenedMeanwhile: what was to be held to a node, and was let go by somebody else, takes
// nothing there.
func TestGateOpenedMeanwhile(t *testing.T) {
	c := newDeviceCluster(t, "h100")
	c.add(heldBack("a"))
	c.settle()
	e, is := c.ledger.errand(c.ledger.takeRipe()[0])
	if !is || !e.held {
		t.Fatalf("the errand is %+v", e)
	}
	c.set(heldBack("a", func(p *corev1.Pod) { p.Spec.SchedulingGates = nil }))
	c.add(heldBack("b"))
	c.does("hold b@n1")
}

// TestTheSameTemplateAgain is no news: a gang that waits for others' pods to end keeps their room.
func TestTheSameTemplateAgain(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 0))
	c.set(newDeviceClass("gpu", anyGPU))
	c.set(claimTemplate("gpu", "gpu"))
	if c.ledger.set(claimTemplate("gpu", "gpu")) {
		t.Error("it is news")
	}
}
