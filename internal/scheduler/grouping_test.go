// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// TestUncountedGroup: pods of a group of Kueue's do not start one by one when nobody says how
// many there are, and start when somebody does.
func TestUncountedGroup(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 4))
	counted := func(total string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Labels[labelKueueGroup] = "g"
			if total != "" {
				p.Annotations[annotationKueueTotal] = total
			}
		}
	}
	const uncounted = "its label kueue.x-k8s.io/pod-group-name names a group, and nothing says of how many pods; set the annotation kueue.x-k8s.io/pod-group-total-count to their number, on each of them"
	c.add(ourPod("a", counted("")))
	c.does("a: " + uncounted)
	c.add(ourPod("b", counted("2")))
	c.does("a: "+uncounted, "b: "+uncounted)
	a := ourPod("a", counted("none"))
	a.UID = c.pods["a"].UID
	c.add(a)
	const odd = `its annotation kueue.x-k8s.io/pod-group-total-count is "none"; set it to the number of pods of the group, one or more`
	c.does("a: "+odd, "b: "+odd)
	a = ourPod("a", counted("2"))
	a.UID = c.pods["a"].UID
	c.add(a)
	c.does("a@n1", "b@n1")
}

// TestMiscountedGroup does not start one by one, and does start when its label says a number.
func TestMiscountedGroup(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 4))
	c.add(ourPod("a", ofGroup("g", 2), labelled(labelGroupLeast, "many")))
	const odd = `: metadata.labels[pod-group.scheduling.sigs.k8s.io/min-available]: "many" is no number of pods; write how many of the group it takes to start`
	c.does("a" + odd)
	c.add(ourPod("b", ofGroup("g", 2)))
	c.does("a"+odd, "b"+odd)
	a := ourPod("a", ofGroup("g", 2))
	a.UID = c.pods["a"].UID
	c.add(a)
	c.does("a@n1", "b@n1")
}

func TestGroupingOf(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*corev1.Pod)
		want   grouping
	}{
		"alone":        {func(*corev1.Pod) {}, grouping{key: "ns/pod/p", least: 1}},
		"of a gang":    {labelled(slipwayv1.LabelGang, "g"), grouping{key: "ns/g", gang: true}},
		"of a group":   {ofGroup("g", 4), grouping{key: "ns/group/g", least: 4}},
		"without many": {labelled(labelGroup, "g"), grouping{key: "ns/group/g", least: 1}},
		"absurd":       {ofGroup("g", -4), grouping{key: "ns/group/g", least: 1}},
		"of Kueue": {func(p *corev1.Pod) { p.Labels[labelKueueGroup], p.Annotations[annotationKueueTotal] = "g", "5" },
			grouping{key: "ns/group/g", least: 5}},
		"of Kubernetes": {func(p *corev1.Pod) { p.Spec.SchedulingGroup = &corev1.PodSchedulingGroup{PodGroupName: ptr.To("g")} },
			grouping{key: "ns/podgroup/g", podGroup: "g"}},
	} {
		if got := groupingOf(ourPod("p", tt.change)); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}
