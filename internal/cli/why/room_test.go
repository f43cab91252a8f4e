// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// pod of a gang on a node, that takes all of it.
func pod(gang, on string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: gang + "-0", UID: types.UID(gang + "-0"), Labels: map[string]string{slipwayv1.LabelGang: gang}},
		Spec: corev1.PodSpec{NodeName: on, SchedulerName: slipwayv1.SchedulerName, Containers: []corev1.Container{{
			Name: "main", Resources: corev1.ResourceRequirements{Requests: gpus(8), Limits: gpus(8)}}}},
	}
}

// until when a pod that was told to end has time for it.
func until(p *corev1.Pod, end time.Time) *corev1.Pod {
	p.DeletionTimestamp = new(metav1.NewTime(end))
	return p
}

func urgent(g *slipwayv1.Gang) *slipwayv1.Gang {
	g.Spec.Priority = 5
	return g
}

// TestMakingRoom: who waits for pods to end is told one story, and so is everybody else.
func TestMakingRoom(t *testing.T) {
	heir := func() *slipwayv1.Gang {
		g := told(urgent(gang("heir", 1, 5)), metav1.ConditionFalse, "MakingRoom", "1 gang gave way to it; it starts when their pods have ended; expected to start by 2026-01-02T12:01:00Z, when team/gone has ended (100 % sure)")
		g.Status.Promise = &slipwayv1.StartPromise{Time: metav1.NewTime(noon.Add(time.Minute))}
		return g
	}
	gaveWay := told(gang("gone", 1, 90), metav1.ConditionFalse, "Evicted", "gave its places to team/heir, which has priority 5")
	s := &snapshot.Snapshot{Taken: noon, Nodes: []*corev1.Node{node("n1"), node("n2")},
		Gangs: []*slipwayv1.Gang{on(gang("stays", 1, 90), "n2"), gaveWay, heir()},
		Pods:  []*corev1.Pod{pod("stays", "n2"), until(pod("gone", "n1"), noon.Add(20*time.Second))},
	}
	expect(t, reportOn(t, "heir", s),
		"gang/heir",
		"  gang heir has waited for 60m (priority 5)",
		"    1 gang gave way to it; it starts when their pods have ended",
		"      pod gone-0 on n1 was told to end, and has time for that until 2026-01-02T12:00:20Z (in 20s)",
	)
	expect(t, reportOn(t, "gone", s),
		"gang/gone",
		"  gang gone has waited for 60m of the 90m since it was made (priority 0)",
		"    needs 1 pod of 8 nvidia.com/gpu; none fits now",
		"      2 nodes have too little nvidia.com/gpu (none free)",
		"    was told last: gave its places to team/heir, which has priority 5 (Evicted)",
		"    in the queue: the first of 1 of no project",
		"    nobody knows when it starts: heir and stays have no limit on how long they run (slipway.dev/max-run-time)",
	)
	expect(t, reportOn(t, "stays", s),
		"gang/stays",
		"  gang stays has had its places for 60m (priority 0)",
		"    on n2 (1 pod)",
		"    has no limit on how long it runs (slipway.dev/max-run-time)",
		"    would give way to gangs of no project with a priority above 0, and to projects that are guaranteed what it uses",
	)
	s.Pods[1].DeletionTimestamp = nil
	expect(t, reportOn(t, "heir", s),
		"gang/heir",
		"  gang heir has waited for 60m (priority 5)",
		"    1 gang gave way to it; it starts when their pods have ended",
		"      pod gone-0 on n1 is about to be told to end",
	)
}

// TestProtected: who waits for others that are protected is told until when.
func TestProtected(t *testing.T) {
	first := on(gang("first", 1, 90), "n1")
	first.Spec.MinRunTime = &metav1.Duration{Duration: 90 * time.Minute}
	second := on(gang("second", 1, 90), "n2")
	second.Spec.MinRunTime = &metav1.Duration{Duration: 48 * time.Hour}
	if out := report(t, "second", second); !strings.Contains(out, "gives way to nobody before 2026-01-03T11:00:00Z") {
		t.Errorf("nobody is protected for longer than a day:\n%s", out)
	}
	waits := told(urgent(gang("waits", 1, 5)), metav1.ConditionFalse, "InsufficientResources", "")
	expect(t, report(t, "waits", first, second, waits),
		"gang/waits",
		"  gang waits has waited for 60m (priority 5)",
		"    needs 1 pod of 8 nvidia.com/gpu; none fits now",
		"      2 nodes have too little nvidia.com/gpu (none free)",
		"      team/first would give way to it, but not before 2026-01-02T12:30:00Z (slipway.dev/min-run-time)",
		"    in the queue: the first of 1 of no project",
		"    nobody knows when it starts: first and second have no limit on how long they run (slipway.dev/max-run-time)",
	)
}
