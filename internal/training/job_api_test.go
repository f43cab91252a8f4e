// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

func TestAPIJobFromStartToEnd(t *testing.T) {
	r := newRig(t)
	r.create(r.newJob(1, 1, func(job *kubeflowv1.PyTorchJob) {
		job.Spec.RunPolicy.CleanPodPolicy = ptr.To(kubeflowv1.CleanPodPolicyAll)
	}))
	gang := r.awaitGang("pytorchjob-j")
	r.refusePlace(gang, "InsufficientResources", "needs 2 CPUs, 1 is free")
	r.awaitJob("j", "the reason to wait", func(job *kubeflowv1.PyTorchJob) bool {
		return strings.HasSuffix(waitsFor(job), "It waits: needs 2 CPUs, 1 is free")
	})
	r.place(gang)
	for _, pod := range r.awaitPods(2) {
		if pod.Spec.NodeName != r.node {
			t.Errorf("%s is on %q", pod.Name, pod.Spec.NodeName)
		}
	}
	r.phase("j-master-0", corev1.PodRunning)
	r.phase("j-worker-0", corev1.PodRunning)
	r.awaitLast("j", kubeflowv1.JobRunning)

	must(t, r.client.Delete(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "j-worker-0", Namespace: r.ns}}))
	r.awaitLast("j", kubeflowv1.JobRestarting)
	r.bury("j-worker-0")
	r.awaitPods(2)
	r.phase("j-worker-0", corev1.PodRunning)
	r.awaitLast("j", kubeflowv1.JobRunning)

	r.phase("j-master-0", corev1.PodSucceeded)
	job := r.awaitLast("j", kubeflowv1.JobSucceeded)
	if job.Status.CompletionTime == nil || job.Status.ReplicaStatuses[worker].Succeeded != 1 {
		t.Errorf("status %+v", job.Status)
	}
	await(r, "the worker to be stopped", &corev1.PodList{}, func(l *corev1.PodList) bool {
		return len(l.Items) == 1 && l.Items[0].DeletionTimestamp != nil
	})
	r.bury("j-worker-0")
	await(r, "the end of the gang", &slipwayv1.GangList{}, func(l *slipwayv1.GangList) bool { return len(l.Items) == 0 })
	await(r, "the end of the services", &corev1.ServiceList{}, func(l *corev1.ServiceList) bool { return len(l.Items) == 0 })
	kubetest.Edit(t, r.client, job, func(j *kubeflowv1.PyTorchJob) { j.Spec.RunPolicy.TTLSecondsAfterFinished = ptr.To[int32](0) })
	await(r, "the end of the job", &kubeflowv1.PyTorchJobList{}, func(l *kubeflowv1.PyTorchJobList) bool { return len(l.Items) == 0 })
	r.checkEvents("InsufficientResources", "SuccessfulCreatePod", "PyTorchJobRestarting", "PyTorchJobSucceeded")
}

func (r *rig) checkEvents(reasons ...string) {
	r.t.Helper()
	for _, reason := range reasons {
		await(r, "event "+reason, &eventsv1.EventList{}, func(l *eventsv1.EventList) bool {
			for _, e := range l.Items {
				if e.Reason == reason {
					return true
				}
			}
			return false
		})
	}
}

// What the API server refuses for one pod must not leave the others behind.
func TestAPIHalfAGangIsUndone(t *testing.T) {
	r := newRig(t)
	r.create(&corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "two", Namespace: r.ns},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("2")}},
		Status:     corev1.ResourceQuotaStatus{},
	})
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "two", Namespace: r.ns}}
	kubetest.EditStatus(t, r.client, quota, func(q *corev1.ResourceQuota) { // as the quota controller does
		q.Status.Hard = q.Spec.Hard
		q.Status.Used = corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}
	})
	r.create(r.newJob(0, 3))
	r.place(r.awaitGang("pytorchjob-j"))
	job := r.awaitJob("j", "the refusal", func(job *kubeflowv1.PyTorchJob) bool {
		return strings.Contains(waitsFor(job), "exceeded quota: two")
	})
	if job.Status.StartTime != nil {
		t.Error("a job that did not start has a start time")
	}
	for _, pod := range r.pods() {
		t.Errorf("%s is left behind", pod.Name)
	}
	r.checkEvents("FailedCreatePod")
}

// What an undoing that failed left behind goes, too.
func TestStuckBeforeTheStartKeepsNothing(t *testing.T) {
	refusal := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "j-worker-1", errors.New("exceeded quota"))
	w := newWorld(t, newJob(0, 2))
	w.settle()
	w.place("n1")
	w.settle()
	delete(w.pods, "j-worker-1") // the API server never let it be
	in := w.observe()
	todo := decide(in)
	if !todo.Whole || len(todo.Create) != 1 {
		t.Fatalf("whole %v, makes %d", todo.Whole, len(todo.Create))
	}
	todo = stuck(in, todo, refusal)
	if len(todo.Delete) != 1 || todo.Delete[0].Object.GetName() != "j-worker-0" || todo.Wake != blockedDelay || todo.Hold != 0 {
		t.Errorf("deletes %v, wakes in %v, holds the reason for %v", todo.Delete, todo.Wake, todo.Hold)
	}

	w = started(t, newJob(0, 2), "n1")
	delete(w.pods, "j-worker-1")
	in = w.observe()
	if todo = stuck(in, decide(in), refusal); todo.Whole || len(todo.Delete) != 0 {
		t.Errorf("deletes %v of a job that is under way", todo.Delete)
	}
}

func (r *rig) pods() []corev1.Pod {
	r.t.Helper()
	return await(r, "pods", &corev1.PodList{}, func(*corev1.PodList) bool { return true }).Items
}

// A node dies with its kubelet: nobody will ever report its pods gone.
func TestAPILostNode(t *testing.T) {
	r := newRig(t)
	r.create(r.newJob(0, 2))
	gang := r.awaitGang("pytorchjob-j")
	r.place(gang)
	r.awaitPods(2)
	r.phase("j-worker-0", corev1.PodRunning)
	r.phase("j-worker-1", corev1.PodRunning)
	r.awaitLast("j", kubeflowv1.JobRunning)

	lost := r.node
	must(t, r.client.Delete(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: lost}}))
	r.node = "other-" + lost
	r.place(gang)
	r.awaitLast("j", kubeflowv1.JobRestarting)
	await(r, "the pods on the other node", &corev1.PodList{}, func(l *corev1.PodList) bool {
		return len(l.Items) == 2 && l.Items[0].Spec.NodeName == r.node && l.Items[1].Spec.NodeName == r.node
	})
}

// The count of restarts survives the pod, and the engine that counted.
func TestAPIRestartsAreKeptOnTheGang(t *testing.T) {
	r := newRig(t)
	r.create(r.newJob(0, 1, policy(kubeflowv1.RestartPolicyExitCode)))
	r.place(r.awaitGang("pytorchjob-j"))
	first := r.awaitPods(1)[0]
	r.phase("j-worker-0", corev1.PodFailed)
	await(r, "the next pod", &corev1.PodList{}, func(l *corev1.PodList) bool {
		return len(l.Items) == 1 && l.Items[0].UID != first.UID && l.Items[0].Annotations[annotationAttempt] == "1"
	})
	if got := r.awaitGang("pytorchjob-j").Annotations[annotationRestarts]; got != `{"worker-0":[1,1]}` {
		t.Errorf("ledger %s", got)
	}
}

func TestAPIInvalidJobFails(t *testing.T) {
	r := newRig(t)
	r.create(r.newJob(0, 1, func(job *kubeflowv1.PyTorchJob) {
		job.Spec.PyTorchReplicaSpecs[worker].Template.Spec.Containers[0].Name = "main"
	}))
	job := r.awaitLast("j", kubeflowv1.JobFailed)
	if got := job.Status.Conditions[0].Reason; got != "PyTorchJobFailedValidation" {
		t.Errorf("reason %s", got)
	}
	r.checkEvents("PyTorchJobFailedValidation")
}

func TestAPIScaleSubresource(t *testing.T) {
	r := newRig(t)
	r.create(r.newJob(0, 1))
	gang := r.awaitGang("pytorchjob-j")
	r.place(gang)
	r.awaitPods(1)
	job := r.awaitJob("j", "a selector", func(job *kubeflowv1.PyTorchJob) bool { return job.Status.ReplicaStatuses[worker] != nil })
	want := "training.kubeflow.org/job-name=j,training.kubeflow.org/operator-name=pytorchjob-controller,training.kubeflow.org/replica-type=worker"
	if diff := cmp.Diff(want, job.Status.ReplicaStatuses[worker].Selector); diff != "" {
		t.Error(diff)
	}
	kubetest.Edit(t, r.client, job, func(j *kubeflowv1.PyTorchJob) { j.Spec.PyTorchReplicaSpecs[worker].Replicas = ptr.To[int32](3) })
	await(r, "the gang to grow", &slipwayv1.GangList{}, func(l *slipwayv1.GangList) bool {
		return len(l.Items) == 1 && l.Items[0].Spec.PodSets[0].Count == 3
	})
	r.place(gang)
	r.awaitPods(3)
}
