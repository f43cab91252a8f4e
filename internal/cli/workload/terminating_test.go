// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// deleted makes pods that were told to end, and have time for it until so many seconds after 1970.
func deleted(seconds int64) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.DeletionTimestamp = ptr.To(metav1.Unix(seconds, 0))
		p.Spec.NodeName = "n1"
		p.OwnerReferences = []metav1.OwnerReference{{Kind: "PyTorchJob", Name: "tiny", UID: "1", Controller: ptr.To(true)}}
	}
}

func onNode(p *corev1.Pod) { p.Spec.NodeName = "n1" }

// TestTerminating: a job that was deleted says what it still holds, and no longer that it runs.
func TestTerminating(t *testing.T) {
	silence := map[string]Silence{"n1": {Since: time.Unix(0, 0)}}
	for _, c := range []struct {
		name       string
		condition  string
		finalizers []string
		pods       []corev1.Pod
		silent     map[string]Silence
		want       State
	}{
		{"pods end", "Running: ", nil, []corev1.Pod{podOf(0, deleted(30)), podOf(1, deleted(60))}, nil, State{Status: "Terminating", Total: 3,
			Reason: "2 pods still have their places; they were told to end, and have time for that until 1970-01-01T00:01:00Z"}},
		{"not told yet", "Running: ", nil, []corev1.Pod{podOf(0, onNode)}, nil, State{Status: "Terminating", Running: 1, Total: 3,
			Reason: "1 pod still has its place, about to be told to end"}},
		{"on a silent node", "Running: ", nil, []corev1.Pod{podOf(0, deleted(30))}, silence, State{Status: "Terminating", Total: 3,
			Reason: "1 pod still has its place; it was told to end, and has time for that until 1970-01-01T00:00:30Z; node n1 does not answer since 1970-01-01T00:00:00Z, " +
				"so that nobody can say that tiny-master-0 has ended; if it will not come back: slipway kubectl delete node n1"}},
		{"waited", "Created: ", []string{"foregroundDeletion"}, nil, nil, State{Status: "Terminating", Total: 3,
			Reason: "has no places any more; it goes as soon as its finalizers do: foregroundDeletion"}},
		{"had ended", "Failed: it was wrong", nil, nil, nil, State{Status: "Failed", Total: 3, Ended: true, Failed: true, Reason: "it was wrong"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			job := jobWith(c.condition)
			job.DeletionTimestamp, job.Finalizers = ptr.To(metav1.Unix(1, 0)), c.finalizers
			w := Assemble(kindNamed(t, "pytorchjob"), job, nil, c.pods)
			w.silent = c.silent
			if diff := cmp.Diff(c.want, w.State()); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRemains: of a job that is gone the pods that end are told, and of no other kind's.
func TestRemains(t *testing.T) {
	w := Remains(PyTorchJob(), []corev1.Pod{podOf(0), podOf(1, deleted(60))})
	want := State{Status: "Terminating", Total: 1, Reason: "1 pod still has its place; it was told to end, and has time for that until 1970-01-01T00:01:00Z"}
	if w == nil || w.String() != "pytorchjob/tiny" {
		t.Fatalf("remains are %v", w)
	}
	if diff := cmp.Diff(want, w.State()); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	if w := Remains(Job(), []corev1.Pod{podOf(1, deleted(60))}); w != nil {
		t.Errorf("of another kind: %v", w)
	}
}

// TestRemainsOfModel: the pods of a Model are those of a ReplicaSet of its Deployment.
func TestRemainsOfModel(t *testing.T) {
	of := func(set string) []corev1.Pod {
		return []corev1.Pod{podOf(0, deleted(60), func(p *corev1.Pod) {
			p.Labels[slipwayv1.LabelModel] = "tiny"
			p.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Name: set, UID: "1", Controller: ptr.To(true)}}
		})}
	}
	w := Remains(Model(), of("model-tiny-7d4b9"))
	if w == nil || w.String() != "model/tiny" || w.Object.GetUID() != "" || w.State().Status != StatusTerminating {
		t.Errorf("remains are %v", w)
	}
	if w := Remains(Model(), of("own-7d4b9")); w != nil {
		t.Errorf("of somebody else's ReplicaSet: %v", w)
	}
	if w := Remains(PyTorchJob(), of("model-tiny-7d4b9")); w != nil {
		t.Errorf("of another kind: %v", w)
	}
}

// TestLooseTerminate: pods without a job do when all of them end.
func TestLooseTerminate(t *testing.T) {
	alone := func(name string, change ...func(*corev1.Pod)) corev1.Pod {
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"pod-group.scheduling.sigs.k8s.io/name": "pair"}},
			Spec: corev1.PodSpec{SchedulerName: "slipway", NodeName: "n1"}, Status: corev1.PodStatus{Phase: corev1.PodRunning}}
		for _, each := range change {
			each(&p)
		}
		return p
	}
	one := Loose([]corev1.Pod{alone("a", deleted(60)), alone("b", deleted(30))})
	if got := one[0].State(); got.Status != "Terminating" || got.Reason != "2 pods still have their places; they were told to end, and have time for that until 1970-01-01T00:01:00Z" {
		t.Errorf("both end: %+v", got)
	}
	stays := State{Status: StatusRunning, Running: 1, Total: 1}
	if diff := cmp.Diff(stays, Loose([]corev1.Pod{alone("a", deleted(60)), alone("b")})[0].State()); diff != "" {
		t.Errorf("one stays (-want +got):\n%s", diff)
	}
	ended := func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }
	if got := Loose([]corev1.Pod{alone("a", deleted(60)), alone("b", ended)})[0].State(); got.Status != "Terminating" || got.Total != 2 {
		t.Errorf("one has ended, the other ends: %+v", got)
	}
	if got := Loose([]corev1.Pod{alone("a", deleted(60), ended)})[0].State(); got.Status != "Succeeded" || got.Total != 1 {
		t.Errorf("it has ended and is about to go: %+v", got)
	}
	failed := func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }
	if got := Loose([]corev1.Pod{alone("a", deleted(60), failed)})[0].State(); got.Status != StatusFailed || got.Total != 1 {
		t.Errorf("it has failed and is about to go: %+v", got)
	}
}
