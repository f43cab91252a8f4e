// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

const noDevices = "0/1 nodes are available: 1 cannot allocate all claims"

// unschedulable is what Kubernetes' scheduler makes of a pod that it cannot bind.
func unschedulable(p *corev1.Pod) *corev1.Pod {
	p = p.DeepCopy()
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse,
		Reason: corev1.PodReasonUnschedulable, Message: noDevices, ObservedGeneration: p.Generation}}
	return p
}

// made is of a controller, in a generation as the API server counts them.
func made(p *corev1.Pod) {
	p.Generation = 2
	p.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "r", UID: "r", Controller: ptr.To(true)}}
}

func alone(p *corev1.Pod) { p.Generation = 2 }

// TestHeldPodThatIsNotBound goes after a while, and the next one goes where there is room by then.
func TestHeldPodThatIsNotBound(t *testing.T) {
	c := newDeviceCluster(t, "h100")
	c.add(heldBack("a", made))
	c.does("hold a@n1")
	c.add(unschedulable(c.pods["a"]))
	c.does()
	c.set(newClaim("faster", "", "n1", "0"))
	c.set(newNode("n2", 8, 0))
	c.set(newSlice("n2", "h100"))
	if due := c.ledger.nextUnpin(); !due.Equal(c.now.Add(firstPatience)) {
		t.Errorf("looks again at %v", due)
	}
	c.now = c.now.Add(firstPatience)
	c.does("delete a")
	if c.ledger.tally.repairs[unbound] != 1 {
		t.Errorf("counted %v", c.ledger.tally.repairs)
	}
	c.add(heldBack("b", made))
	c.does("hold b@n2")
}

// TestHeldPodsOfAGangThatAreNotBound: only the one that has no device goes, and the gang stays.
func TestHeldPodsOfAGangThatAreNotBound(t *testing.T) {
	for name, of := range map[string]func(*corev1.Pod){"Gang": inGang("g"), "group": ofGroup("g", 2)} {
		t.Run(name, func(t *testing.T) {
			c := newDeviceCluster(t, "h100", "h100", "h100")
			if name == "Gang" {
				c.set(claiming("g", 2, "gpu"))
			}
			c.add(heldBack("a", of, made), heldBack("b", of, made))
			c.does("hold a@n1", "hold b@n1")
			bound := c.pods["a"].DeepCopy()
			bound.Spec.NodeName = "n1"
			c.add(bound, unschedulable(c.pods["b"]))
			c.does()
			c.now = c.now.Add(firstPatience)
			c.does("delete b")
			c.add(heldBack("b2", of, made))
			c.does("hold b2@n1")
		})
	}
}

// TestPatienceWithKubernetesScheduler grows, as long as it binds none of an owner's pods.
func TestPatienceWithKubernetesScheduler(t *testing.T) {
	c := newDeviceCluster(t, "h100")
	for _, patience := range []time.Duration{firstPatience, 2 * firstPatience, 4 * firstPatience} {
		c.add(heldBack("a", made))
		c.does("hold a@n1")
		c.add(unschedulable(c.pods["a"]))
		c.does()
		c.now = c.now.Add(patience - time.Second)
		c.does()
		c.now = c.now.Add(time.Second)
		c.does("delete a")
	}
	c.add(heldBack("a", made))
	c.does("hold a@n1")
	bound := c.pods["a"].DeepCopy()
	bound.Spec.NodeName = "n1"
	c.add(bound)
	if len(c.ledger.refusals) != 0 {
		t.Error("refusals are counted on after one was bound")
	}
}

// TestPodsThatAreRefusedAtOnce go at once, and are one refusal in a row.
func TestPodsThatAreRefusedAtOnce(t *testing.T) {
	c := newDeviceCluster(t, "h100", "h100", "h100")
	for range 2 {
		for _, name := range []string{"a", "b", "c"} {
			c.add(heldBack(name, made))
		}
		c.does("hold a@n1", "hold b@n1", "hold c@n1")
		for _, name := range []string{"a", "b", "c"} {
			c.add(unschedulable(c.pods[name]))
		}
		c.does()
		c.now = c.ledger.nextUnpin()
		c.does("delete a", "delete b", "delete c")
	}
	if got := c.ledger.patience("r"); got != 4*firstPatience {
		t.Errorf("after two rounds patience is %v", got)
	}
}

// TestBarePodThatIsNotBound stays, for nobody would make another, and says what to do.
func TestBarePodThatIsNotBound(t *testing.T) {
	c := newDeviceCluster(t, "h100")
	c.add(heldBack("a", alone))
	c.does("hold a@n1")
	c.add(unschedulable(c.pods["a"]))
	c.does()
	c.now = c.now.Add(firstPatience)
	c.does("advise a")
	c.now = c.now.Add(lastPatience)
	c.does()
	if due := c.ledger.nextUnpin(); !due.IsZero() {
		t.Errorf("looks again at %v", due)
	}
	if says := c.ledger.pinned["uid-a"].advice("n1"); !strings.Contains(says, "delete it and make it again: "+noDevices) {
		t.Errorf("says %q", says)
	}
}

// TestRefusals are those of Kubernetes' scheduler since the gate was opened.
func TestRefusals(t *testing.T) {
	held := heldTo(heldBack("a", alone), "n1")
	for name, tt := range map[string]struct {
		change func(*corev1.Pod)
		want   string
	}{
		"refused":          {func(*corev1.Pod) {}, noDevices},
		"without words":    {func(p *corev1.Pod) { p.Status.Conditions[0].Message = "" }, "it is unschedulable"},
		"by Slipway":       {func(p *corev1.Pod) { p.Status.Conditions[0].ObservedGeneration = 0 }, ""},
		"before":           {func(p *corev1.Pod) { p.Status.Conditions[0].ObservedGeneration = 1 }, ""},
		"held back":        {func(p *corev1.Pod) { p.Status.Conditions[0].Reason = corev1.PodReasonSchedulingGated }, ""},
		"bound":            {func(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionTrue }, ""},
		"others give way":  {func(p *corev1.Pod) { p.Status.NominatedNodeName = "n1" }, ""},
		"of an old server": {func(p *corev1.Pod) { p.Generation, p.Status.Conditions[0].ObservedGeneration = 0, 0 }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := unschedulable(held)
			tt.change(p)
			if got := refusalOf(p); got != tt.want {
				t.Errorf("refused: %q, want %q", got, tt.want)
			}
		})
	}
}
