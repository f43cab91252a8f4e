// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// named pod has its claim by name.
func named(claim string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.ResourceClaims[0].ResourceClaimName, p.Spec.ResourceClaims[0].ResourceClaimTemplateName = &claim, nil
	}
}

// generated says which claim was made for the pod.
func generated(claim string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ResourceClaimStatuses = []corev1.PodResourceClaimStatus{{Name: "gpu", ResourceClaimName: &claim}}
	}
}

// asking claim requests so many devices of the class gpu.
func asking(c *resourcev1.ResourceClaim, count int64) *resourcev1.ResourceClaim {
	c.Spec.Devices.Requests = []resourcev1.DeviceRequest{{Name: "gpu", Exactly: &resourcev1.ExactDeviceRequest{DeviceClassName: "gpu", Count: count}}}
	return c
}

// reachedFrom is a claim whose devices only that node reaches.
func reachedFrom(c *resourcev1.ResourceClaim, node string) *resourcev1.ResourceClaim {
	c.Status.Allocation.NodeSelector = &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{
		{Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{node}}}}}}
	return c
}

// TestPodsThatNameAClaim are counted by what it says, and go where its devices are once it has
// some: those are counted once, whoever names it.
func TestPodsThatNameAClaim(t *testing.T) {
	c := newDeviceCluster(t, "h100", "h100", "h100")
	c.set(newNode("n2", 8, 0))
	c.set(newSlice("n2", "h100"))
	c.add(heldBack("a", named("mine")))
	c.does("a: spec.resourceClaims[0].resourceClaimName: there is no ResourceClaim mine; make it or name another")
	c.set(asking(newClaim("mine", "", ""), 2))
	c.does("hold a@n1")
	c.add(heldBack("b", named("mine")))
	c.does("b: spec.resourceClaims[0].resourceClaimName: pod a names ResourceClaim mine, too, and gets its devices first; wait for that, " +
		"or name a ResourceClaimTemplate in resourceClaimTemplateName, so that each pod gets its own")
	c.set(reachedFrom(asking(newClaim("mine", "a", "n1", "0", "1"), 2), "n1"))
	c.does("hold b@n1")
	c.add(heldBack("c"), heldBack("d"))
	c.does("hold c@n1", "hold d@n2")

	t.Run("are counted with the one that has it now", func(*testing.T) {
		c.end("a")
		c.set(reachedFrom(asking(newClaim("mine", "b", "n1", "0", "1"), 2), "n1"))
		c.does()
		if got := c.ledger.groups["ns/pod/b"].pods["uid-b"].claimed.devices; len(got) != 1 || got[0].Count != 2 {
			t.Errorf("b has %v", got)
		}
	})
}

// TestThePodAfterTheFirst gets the devices of a claim that the first has left.
func TestThePodAfterTheFirst(t *testing.T) {
	c := newDeviceCluster(t, "h100")
	c.set(asking(newClaim("mine", "", ""), 1))
	c.add(heldBack("a", named("mine")), heldBack("b", named("mine")))
	c.rest()
	c.end("a")
	c.does("hold b@n1")
}

// TestClaimsThatWereMadeOfATemplate say more than it does: it may have been made anew since.
func TestClaimsThatWereMadeOfATemplate(t *testing.T) {
	c := newDeviceCluster(t, "h100")
	c.set(newNode("n2", 8, 0))
	c.set(newSlice("n2", "h100", "h100", "h100"))
	c.set(asking(newClaim("a-gpu", "", ""), 3))
	c.add(heldBack("a", generated("a-gpu")))
	c.does("hold a@n2")
	c.add(heldBack("b"))
	c.does("hold b@n1")
	t.Run("which is gone after a restart", func(t *testing.T) {
		bound := heldBack("a", generated("a-gpu"), boundTo("n2"))
		claim := asking(newClaim("a-gpu", "a", "n2", "0", "1", "2"), 3)
		told := Tell(taken(newNode("n2", 8, 0), newDeviceClass("gpu", anyGPU), newSlice("n2", "h100", "h100", "h100"), bound, claim))
		if n := told.Groups[0].Sets[0].Shape.Requests["gpu.deviceclass.resource.k8s.io/devices"]; n != 3 {
			t.Errorf("a is charged for %d devices, and has 3", n)
		}
	})
}

// TestClaimThatComesAfterItsPod: at a start it may be heard of last.
func TestClaimThatComesAfterItsPod(t *testing.T) {
	c := newDeviceCluster(t, "h100", "h100")
	c.add(heldBack("a"))
	c.set(asking(newClaim("a-gpu", "", ""), 2))
	c.add(heldBack("a", generated("a-gpu")))
	c.does("hold a@n1")
	c.add(heldBack("b"))
	c.does("b: needs 1 pod of 1 cpu and 1 gpu.deviceclass.resource.k8s.io/devices; none fits now: 1 node has too little gpu.deviceclass.resource.k8s.io/devices (0 free of 2)")
}

func TestNamings(t *testing.T) {
	n := newNamings()
	a := heldBack("a", func(p *corev1.Pod) {
		p.Spec.ResourceClaims = append(p.Spec.ResourceClaims, corev1.PodResourceClaim{Name: "own", ResourceClaimName: ptr.To("own")})
	})
	if !n.refer(a) || n.refer(a) || len(n.namers) != 2 || len(n.firsts) != 1 {
		t.Errorf("a names %v", n)
	}
	if generated("made")(a); !n.refer(a) || len(n.namers) != 3 {
		t.Errorf("a names %v", n)
	}
	if n.unname(a.UID); len(n.names)+len(n.namers)+len(n.firsts) != 0 {
		t.Errorf("a is gone, and %v is not", n)
	}
}

// TestPodsThatClaimMoreThanTheirGang get nothing, whichever is heard of last.
func TestPodsThatClaimMoreThanTheirGang(t *testing.T) {
	two := claimTemplate("gpu", "gpu")
	two.Spec.Spec.Devices.Requests[0].Exactly.Count = 2
	const more = "a: spec.resourceClaims: asks for 2 gpu.deviceclass.resource.k8s.io/devices, and Gang g for 1; ask for as much in its workload"
	for name, order := range map[string][]client.Object{
		"the template first": {two, claiming("g", 1, "gpu"), heldBack("a", inGang("g"))},
		"the pod first":      {heldBack("a", inGang("g")), claiming("g", 1, "gpu"), two},
		"its own claim": {claimTemplate("gpu", "gpu"), heldBack("a", inGang("g"), generated("a-gpu")), claiming("g", 1, "gpu"),
			asking(newClaim("a-gpu", "", ""), 2)},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, newNode("n1", 8, 0))
			c.set(newDeviceClass("gpu", anyGPU))
			c.set(newSlice("n1", "h100", "h100"))
			for _, o := range order {
				if p, is := o.(*corev1.Pod); is {
					c.add(p)
				} else {
					c.set(o)
				}
			}
			c.does(more)
			if name != "its own claim" {
				c.set(claimTemplate("gpu", "gpu"))
				c.does("hold a@n1")
			}
		})
	}
	t.Run("of another kind", func(t *testing.T) {
		c := newDeviceCluster(t, "h100", "h100")
		c.set(claiming("g", 1, "gpu", onH100))
		c.add(heldBack("a", inGang("g")))
		c.does("a: spec.resourceClaims: asks for 1 gpu.deviceclass.resource.k8s.io/devices, and Gang g for 0; ask for as much in its workload")
	})
}
