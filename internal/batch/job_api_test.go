// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// TestAPILifeOfAJob: it waits, runs, gives way, runs again, rests, and ends.
func TestAPILifeOfAJob(t *testing.T) {
	r := newRig(t)
	r.settled()
	r.run()
	job := r.job("j", label(slipwayv1.LabelQueueName, "p"), suspended)
	r.create(job)
	gang := r.awaitGangs(1)[0]
	if gang.Name != "job-j" || gang.Spec.Project != "p" || gang.Spec.User == "" || gang.Spec.PodSets[0].Count != 2 {
		t.Errorf("the gang is %s with %+v", gang.Name, gang.Spec)
	}
	r.place(&gang, true)
	job = r.awaitJob("j", "runs")
	if l := job.Spec.Template.Labels; l[slipwayv1.LabelGang] != "job-j" || l[slipwayv1.LabelPodSet] != podSetName {
		t.Errorf("its pods get the labels %v", l)
	}
	// The Job controller writes that it began, after which the template cannot change.
	kubetest.EditStatus(t, r.client, job, func(j *batchv1.Job) { j.Status.StartTime, j.Status.Active = ptr.To(metav1.Now()), 2 })

	r.place(&gang, false)
	job = r.awaitJob("j", "waits")
	kubetest.EditStatus(t, r.client, job, func(j *batchv1.Job) {
		j.Status.StartTime, j.Status.Active, j.Status.Terminating = nil, 0, ptr.To[int32](0)
	})
	r.place(&gang, true)
	job = r.awaitJob("j", "runs")
	if again := r.awaitGangs(1)[0]; again.Generation != gang.Generation {
		t.Errorf("it asks for something else when it runs again: %+v", again.Spec)
	}

	kubetest.EditStatus(t, r.client, job, func(j *batchv1.Job) {
		now := metav1.Now()
		j.Status.StartTime, j.Status.CompletionTime, j.Status.Succeeded = &now, &now, 2
		for _, c := range []batchv1.JobConditionType{batchv1.JobSuccessCriteriaMet, batchv1.JobComplete} {
			j.Status.Conditions = append(j.Status.Conditions, batchv1.JobCondition{Type: c, Status: corev1.ConditionTrue, LastTransitionTime: now})
		}
	})
	r.awaitGangs(0)
}

func TestAPIAPersonSuspendsAndResumes(t *testing.T) {
	r := newRig(t)
	r.settled()
	r.run()
	job := r.job("j", label(slipwayv1.LabelProject, "p"))
	r.create(job)
	gang := r.awaitGangs(1)[0]
	r.place(&gang, true)
	job = r.awaitJob("j", "runs")
	kubetest.Edit(t, r.client, job, suspended)
	r.awaitGangs(0)
	r.awaitJob("j", "rests")
	kubetest.Edit(t, r.client, job, func(j *batchv1.Job) { j.Spec.Suspend = ptr.To(false) })
	r.awaitGangs(1)
	r.awaitJob("j", "waits")
}

func TestAPIGrowsAndShrinks(t *testing.T) {
	r := newRig(t)
	r.settled()
	r.run()
	job := r.job("j", label(slipwayv1.LabelProject, "p"), func(j *batchv1.Job) { j.Spec.Completions = ptr.To[int32](10) })
	r.create(job)
	gang := r.awaitGangs(1)[0]
	r.place(&gang, true)
	r.awaitJob("j", "runs")
	for _, n := range []int32{5, 1} {
		kubetest.Edit(t, r.client, job, func(j *batchv1.Job) { j.Spec.Parallelism = &n })
		kubetest.AwaitList(t, r.client, r.ns, "the gang to follow", &slipwayv1.GangList{}, func(l *slipwayv1.GangList) bool {
			return len(l.Items) == 1 && l.Items[0].Spec.PodSets[0].Count == n
		})
	}
}
