// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

func TestStateOfBatchJobs(t *testing.T) {
	ended := func(c batchv1.JobConditionType, message string) func(*batchv1.Job) {
		return func(j *batchv1.Job) {
			j.Status.Conditions = []batchv1.JobCondition{{Type: c, Status: corev1.ConditionTrue, Message: message}}
			j.Status.StartTime = ptr.To(metav1.NewTime(time.Unix(0, 0)))
			j.Status.CompletionTime = ptr.To(metav1.NewTime(time.Unix(192, 0)))
		}
	}
	held := func(j *batchv1.Job) { j.Spec.Suspend = ptr.To(true) }
	waits := func(j *batchv1.Job) {
		held(j)
		j.Annotations = map[string]string{slipwayv1.AnnotationQueued: "true"}
	}
	blocked := func(j *batchv1.Job) {
		waits(j)
		j.Annotations[slipwayv1.AnnotationBlocked] = "there is no claim"
	}
	running := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Labels: map[string]string{batchv1.JobNameLabel: "j"}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning}}
	gang := slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{UID: "u", Controller: ptr.To(true)}}},
		Status: slipwayv1.GangStatus{Conditions: []metav1.Condition{{Type: slipwayv1.ConditionPlaced, Status: metav1.ConditionFalse, Message: "too much"}}}}
	placed := *gang.DeepCopy()
	placed.Status.Conditions[0] = metav1.Condition{Type: slipwayv1.ConditionPlaced, Status: metav1.ConditionTrue, Message: "2 pods on 1 node"}
	for name, c := range map[string]struct {
		change func(*batchv1.Job)
		gangs  []slipwayv1.Gang
		pods   []corev1.Pod
		want   State
	}{
		"waits": {waits, []slipwayv1.Gang{gang}, nil, State{Status: "Waiting", Total: 2, Reason: "too much"}},
		"ends first": {waits, []slipwayv1.Gang{placed}, []corev1.Pod{running},
			State{Status: "Waiting", Running: 1, Total: 2, Reason: "has places again, and starts on them when the pods of its last run have ended"}},
		"is placed":  {waits, []slipwayv1.Gang{placed}, nil, State{Status: "Waiting", Total: 2, Reason: "has places, and is about to start"}},
		"is new":     {waits, nil, nil, State{Status: "Waiting", Total: 2, Reason: unseen}},
		"is blocked": {blocked, nil, nil, State{Status: "Waiting", Total: 2, Reason: "there is no claim"}},
		"rests":      {held, nil, nil, State{Status: "Suspended", Total: 2, Reason: "spec.suspend is true"}},
		"starts":     {func(*batchv1.Job) {}, nil, nil, State{Status: "Starting", Total: 2, Reason: "waiting for containers to start"}},
		"runs":       {func(*batchv1.Job) {}, nil, []corev1.Pod{running}, State{Status: "Running", Running: 1, Total: 2}},
		"succeeded":  {ended(batchv1.JobComplete, ""), nil, nil, State{Status: "Succeeded", Total: 2, Reason: "took 3m12s", Ended: true}},
		"failed":     {ended(batchv1.JobFailed, "too often"), nil, nil, State{Status: "Failed", Total: 2, Reason: "too often", Ended: true, Failed: true}},
	} {
		t.Run(name, func(t *testing.T) {
			job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "j", UID: "u"},
				Spec: batchv1.JobSpec{Parallelism: ptr.To[int32](8), Completions: ptr.To[int32](2)}}
			c.change(job)
			if diff := cmp.Diff(c.want, Assemble(Job(), job, c.gangs, c.pods).State()); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}
