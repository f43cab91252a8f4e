// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// TestBeyondThePlan: where all that runs has a limit, who is promised no start is not told that
// nobody knows when the others end, be it the first of its own project.
func TestBeyondThePlan(t *testing.T) {
	s := &snapshot.Snapshot{Taken: noon, Nodes: []*corev1.Node{node("n1"), node("n2")},
		Gangs: []*slipwayv1.Gang{limited(on(gang("runs", 2, 90), "n1", "n2"), 3*time.Hour)}}
	const waiting = 20
	for i := range waiting {
		g := limited(gang(fmt.Sprintf("waits-%d", i), 2, 60-i), time.Hour)
		g.Spec.Project = g.Name
		s.Projects = append(s.Projects, &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: g.Name}})
		s.Gangs = append(s.Gangs, g)
	}
	beyond := 0
	for i := range waiting {
		out := reportOn(t, fmt.Sprintf("waits-%d", i), s)
		switch {
		case strings.Contains(out, "nobody knows yet when it starts: only the first that wait are told\n"):
			beyond++
		case !strings.Contains(out, "expected to start by"):
			t.Error(out)
		}
	}
	if beyond == 0 {
		t.Error("all were promised a start")
	}
}

// TestBesideStrangers: where pods that others place have the devices, nobody knows.
func TestBesideStrangers(t *testing.T) {
	stranger := pod("stranger", "n1")
	stranger.Labels, stranger.Spec.SchedulerName = nil, "other"
	stranger.Spec.Containers = []corev1.Container{{Resources: corev1.ResourceRequirements{Requests: gpus(1)}}}
	s := &snapshot.Snapshot{Taken: noon, Nodes: []*corev1.Node{node("n1"), node("n2")}, Pods: []*corev1.Pod{stranger},
		Gangs: []*slipwayv1.Gang{limited(on(gang("runs", 1, 90), "n2"), 3*time.Hour), limited(gang("small", 1, 30), time.Hour), limited(gang("large", 2, 20), time.Hour)}}
	if out := reportOn(t, "small", s); !strings.Contains(out, "expected to start by") {
		t.Error(out)
	}
	if out := reportOn(t, "large", s); !strings.Contains(out, "nobody knows when it starts: of what has the room it is not known when it ends\n") {
		t.Error(out)
	}
}

// TestSaysWhatWasTold of what a start waits for, as long as it is that start.
func TestSaysWhatWasTold(t *testing.T) {
	runs := limited(on(gang("runs", 2, 90), "n1", "n2"), 3*time.Hour)
	for start, want := range map[string]string{"14:00": "when team/other has ended (45 % sure)", "15:00": "when team/runs has ended (90 % sure)"} {
		at, _ := time.Parse(time.RFC3339, "2026-01-02T"+start+":00Z")
		waits := told(gang("waits", 1, 20), metav1.ConditionFalse, "InsufficientResources",
			"none fits now; expected to start by "+at.Format(time.RFC3339)+", when team/other has ended (45 % sure)")
		waits.Status.Promise = &slipwayv1.StartPromise{Time: metav1.NewTime(at), Number: 1}
		if out := report(t, "waits", runs, waits); !strings.Contains(out, "\n      "+want+"\n") {
			t.Errorf("promised %s, it says no %q:\n%s", start, want, out)
		}
	}
}

// TestSaysThatItIsLate, as who has watched knows and ps says.
func TestSaysThatItIsLate(t *testing.T) {
	runs := limited(on(gang("runs", 2, 90), "n1", "n2"), 3*time.Hour)
	late := "it was to start by 2026-01-02T13:00:00Z, but team/other goes first, which has priority 7"
	waits := told(gang("waits", 1, 20), metav1.ConditionFalse, "InsufficientResources", "needs 1 pod of 8 nvidia.com/gpu; none fits now: "+
		"2 nodes have too little nvidia.com/gpu (none free), "+late+"; expected to start by 2026-01-02T14:00:00Z, when team/runs has ended (90 % sure)")
	waits.Status.Promise = &slipwayv1.StartPromise{Time: metav1.NewTime(noon.Add(2 * time.Hour)), Number: 1}
	if out := report(t, "waits", runs, waits); !strings.Contains(out, "\n    "+late+"\n") {
		t.Error(out)
	}
}
