// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// TestPodsAreToldAsGangs: what the scheduler makes of pods without a Gang is in no object,
// and is told with those of its pods that have a place.
func TestPodsAreToldAsGangs(t *testing.T) {
	pod := func(name, node, group string) *corev1.Pod {
		p := newPod(name, node, quantities(1, 1))
		p.UID, p.Spec.SchedulerName = types.UID(name), slipwayv1.SchedulerName
		p.CreationTimestamp = metav1.NewTime(noon.Add(-time.Hour))
		if group != "" {
			p.Labels = map[string]string{labelGroup: group, labelGroupLeast: "2"}
		}
		return p
	}
	other := newPod("other", "", quantities(1, 1))
	other.UID = "other"
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ns", Labels: map[string]string{slipwayv1.LabelProject: "team"}}}
	told := Tell(&snapshot.Snapshot{Taken: noon, Namespaces: []*corev1.Namespace{ns},
		Pods: []*corev1.Pod{pod("a", "n1", "pair"), pod("alone", "", ""), pod("b", "", "pair"), pod("c", "", "half"), other}})

	type group struct {
		Key, Queue string
		Pods       int32
		Placed     []placement.Slot
		Unfinished bool
	}
	var got []group
	for _, g := range told.Groups {
		one := group{Key: g.Key, Queue: g.Queue, Pods: g.Sets[0].Count, Unfinished: g.Unfinished}
		if len(g.Placement) > 0 {
			one.Placed = g.Placement[0].Slots
		}
		got = append(got, one)
	}
	want := []group{{"ns/group/pair", "team", 2, []placement.Slot{{Node: "n1", Count: 1}}, true}, {Key: "ns/pod/alone", Queue: "team", Pods: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Held{{"ns/group/half", "team", "waits for the pods of its group: 1 of 2 are there"}}, told.Held); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	if len(told.Pods) != 1 || told.Pods[0].Gang != "ns/group/pair" || told.Pods[0].Set != told.Groups[0].Sets[0].Name {
		t.Errorf("pods %+v", told.Pods)
	}
}

// TestRemainsAreTold of groups that gave way, for whom, and which pods they are: or else a
// simulation would give the room to anybody, or wait for it for ever.
func TestRemainsAreTold(t *testing.T) {
	gaveWay := func(name, heir string) *corev1.Pod {
		p := ourPod(name, ofGroup("web", 1), boundTo("n1"))
		p.DeletionTimestamp = &metav1.Time{Time: noon}
		p.Annotations[slipwayv1.AnnotationGaveWayTo] = heir
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: corev1.PodReasonPreemptionByScheduler}}
		return p
	}
	told := Tell(&snapshot.Snapshot{Taken: noon, Pods: []*corev1.Pod{gaveWay("a", "ns/b"), gaveWay("b", "ns/a"), ourPod("c", ofGroup("web", 1))}})
	want := []placement.Gang{{Key: "ns/group/web/remains", GaveWayTo: []string{"ns/a", "ns/b"}}}
	if diff := cmp.Diff(want, told.Remains); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, p := range told.Pods {
		if p.Gang != want[0].Key || p.Set != "" || !p.Leaving {
			t.Errorf("pod %+v", p)
		}
	}
	if len(told.Pods) != 2 || len(told.Groups) != 1 || len(told.Groups[0].Placement) > 0 {
		t.Errorf("%d pods, groups %+v", len(told.Pods), told.Groups)
	}
}
