// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// limited is a project that may use so many GPUs.
func limited(name string, gpus int64) *slipwayv1.Project {
	return &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Generation: 1},
		Spec: slipwayv1.ProjectSpec{Quota: []slipwayv1.Quota{{Resource: "nvidia.com/gpu", Limit: ptr.To(*resource.NewQuantity(gpus, resource.DecimalSI))}}}}
}

// wears the labels of a worker of the Gang "mine".
func wears(p *corev1.Pod) {
	p.Labels[slipwayv1.LabelGang], p.Labels[slipwayv1.LabelPodSet] = "mine", "worker"
}

// TestIntruders: who wears a Gang's label gets nothing that the Gang did not ask for.
func TestIntruders(t *testing.T) {
	owned := metav1.OwnerReference{APIVersion: "batch/v1", Kind: "Job", Name: "j", UID: "j", Controller: ptr.To(true)}
	for name, tt := range map[string]struct {
		gang func(*slipwayv1.Gang)
		pod  func(*corev1.Pod)
		want string
	}{
		"asks for more": {func(*slipwayv1.Gang) {}, func(p *corev1.Pod) { p.Spec.Containers[0].Resources.Requests = quantities(1, 8) },
			"thief: asks for 8 nvidia.com/gpu, and Gang mine for 1; ask for as much in its workload"},
		"another's pod": {func(g *slipwayv1.Gang) { g.OwnerReferences = []metav1.OwnerReference{owned} }, func(*corev1.Pod) {},
			"thief: is no pod of Job j, whose Gang mine its label slipway.dev/gang names"},
		"another set": {func(*slipwayv1.Gang) {}, labelled(slipwayv1.LabelPodSet, "boss"), `thief: is of pod set "boss", which Gang mine does not have`},
		"one of them": {func(g *slipwayv1.Gang) { g.OwnerReferences = []metav1.OwnerReference{owned} },
			func(p *corev1.Pod) { p.OwnerReferences = []metav1.OwnerReference{owned} }, "thief@n1"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, podFirst := range []bool{false, true} {
				c := newCluster(t, newNode("n1", 8, 8))
				g := newGang("mine", 1, 1)
				tt.gang(g)
				pod := ourPod("thief", wears, tt.pod)
				if podFirst {
					c.add(pod)
				}
				c.set(g)
				if !podFirst {
					c.add(pod)
				}
				c.does(tt.want)
			}
		})
	}
}

// TestBoundPodsKeepTheirGang whatever is done to their labels: their seat is not free.
func TestBoundPodsKeepTheirGang(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 8))
	c.set(newGang("mine", 1, 1))
	c.add(ourPod("first", wears))
	c.does("first@n1")
	p := c.pods["first"].DeepCopy()
	p.Labels = map[string]string{}
	c.add(p, ourPod("second", wears))
	c.does("second: the places of Gang ns/mine are all taken")
}

// TestWhoJoinsAGroupDoesNotMoveItsCharge to another project, be there one or not.
func TestWhoJoinsAGroupDoesNotMoveItsCharge(t *testing.T) {
	for _, other := range []string{"rich", "unknown"} {
		c := newCluster(t, newNode("n1", 8, 8))
		c.set(limited("small", 1))
		c.set(limited("rich", 8))
		of := func(project string) func(*corev1.Pod) { return labelled(slipwayv1.LabelProject, project) }
		c.add(ourPod("a", ofGroup("g", 1), of("small")))
		c.does("a@n1")
		c.add(ourPod("z", ofGroup("g", 1), of(other)))
		c.does(fmt.Sprintf("z: names project %s, and its group is of small; name the same in all pods of a group", other))
		if used := c.ledger.picture.Used("small", "nvidia.com/gpu", ""); used != 1 {
			t.Errorf("with one that names %s, project small uses %d", other, used)
		}
	}
}

// TestHalfAGroupIsFinishedFirst: a group of which a half was bound when the scheduler was
// killed gets the rest before anybody else gets anything.
func TestHalfAGroupIsFinishedFirst(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 2), newNode("n2", 8, 2))
	for i := range 4 {
		p := ourPod(fmt.Sprint("g", i), ofGroup("g", 4))
		if i < 2 {
			p.Spec.NodeName = "n1"
		}
		c.add(p)
	}
	c.add(ourPod("important", ranked(100)))
	c.does("g2@n2", "g3@n2", "important: needs 1 pod of 1 cpu and 1 nvidia.com/gpu; none fits now: 2 nodes have too little nvidia.com/gpu (none free)")
}

// TestWhoSucceededNeedNotComeAgain: the rest of a group does not wait for pods that are
// done.
func TestWhoSucceededNeedNotComeAgain(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 4))
	done := ourPod("done", ofGroup("g", 2), boundTo("n1"))
	done.Status.Phase = corev1.PodSucceeded
	c.add(done, ourPod("last", ofGroup("g", 2)))
	c.does("last@n1")
}
