// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"testing"

	"github.com/google/go-cmp/cmp"
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

// TestAPIPatienceOfAJob: its Gang puts up with a node that does not answer for as long as the API
// server makes the Job's pods put up with it, which are not made again earlier.
func TestAPIPatienceOfAJob(t *testing.T) {
	r := newRig(t)
	r.run()
	for name, own := range map[string][]corev1.Toleration{
		"default": nil,
		"gpus":    {{Key: "nvidia.com/gpu", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}},
		"hasty":   {{Key: corev1.TaintNodeUnreachable, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: ptr.To[int64](5)}},
		"either":  {{Key: corev1.TaintNodeNotReady, Operator: corev1.TolerationOpExists}},
		"all":     {{Operator: corev1.TolerationOpExists}},
		"new":     {{Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}},
	} {
		job := r.job(name, label(slipwayv1.LabelQueueName, "p"), func(j *batchv1.Job) { j.Spec.Template.Spec.Tolerations = own })
		r.create(job)
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.ns}, Spec: job.Spec.Template.Spec}
		r.create(pod)
		gang := &slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Name: "job-" + name, Namespace: r.ns}}
		gang = kubetest.Await(t, r.client, gang, "the gang of "+name, func(*slipwayv1.Gang) bool { return true })
		if diff := cmp.Diff(pod.Spec.Tolerations, gang.Spec.PodSets[0].Tolerations); diff != "" {
			t.Errorf("%s (-pod +gang):\n%s", name, diff)
		}
	}
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
