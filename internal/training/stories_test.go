// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

const (
	master = kubeflowv1.PyTorchJobReplicaTypeMaster
	worker = kubeflowv1.PyTorchJobReplicaTypeWorker
)

// newJob has a master, unless masters is zero, and workers.
func newJob(masters, workers int32, change ...func(*kubeflowv1.PyTorchJob)) *kubeflowv1.PyTorchJob {
	job := &kubeflowv1.PyTorchJob{}
	job.Name = "j"
	job.Spec.PyTorchReplicaSpecs = map[kubeflowv1.ReplicaType]*kubeflowv1.ReplicaSpec{}
	for t, n := range map[kubeflowv1.ReplicaType]int32{master: masters, worker: workers} {
		if n > 0 {
			job.Spec.PyTorchReplicaSpecs[t] = &kubeflowv1.ReplicaSpec{Replicas: ptr.To(n), Template: newTemplate()}
		}
	}
	for _, f := range change {
		f(job)
	}
	return job
}

func newTemplate() corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{Spec: corev1.PodSpec{
		Containers: []corev1.Container{{Name: "pytorch", Image: "train"}},
	}}
}

func policy(p kubeflowv1.RestartPolicy) func(*kubeflowv1.PyTorchJob) {
	return func(job *kubeflowv1.PyTorchJob) {
		for _, spec := range job.Spec.PyTorchReplicaSpecs {
			spec.RestartPolicy = p
		}
	}
}

func TestLifeOfAJob(t *testing.T) {
	w := newWorld(t, newJob(1, 2))
	w.settle()
	if w.podNames() != "" || w.gang == nil || w.last() != "Created" {
		t.Fatalf("before placement: pods %q, gang %v, last condition %s", w.podNames(), w.gang != nil, w.last())
	}
	w.unplace("InsufficientResources", "needs 3 GPUs, 1 is free")
	w.settle()
	want := "PyTorchJob j is created. It waits: needs 3 GPUs, 1 is free"
	if got := w.condition(kubeflowv1.JobCreated); got.Message != want || got.Reason != "PyTorchJobCreated" {
		t.Errorf("Created = %+v, want message %q", got, want)
	}
	if w.sent("InsufficientResources") != 1 || w.podNames() != "" || w.job.Status.StartTime != nil {
		t.Errorf("while waiting: events %v, pods %q, start %v", w.events, w.podNames(), w.job.Status.StartTime)
	}

	w.place("n1", "n2")
	w.settle()
	if got, want := w.podNames(), "j-master-0 j-worker-0 j-worker-1"; got != want {
		t.Fatalf("pods %q, want %q", got, want)
	}
	if got := w.pods["j-worker-1"].Spec.NodeName; got != "n2" {
		t.Errorf("worker 1 is on %q, want n2", got)
	}
	if len(w.services) != 3 || w.job.Status.StartTime == nil {
		t.Errorf("%d services, start %v", len(w.services), w.job.Status.StartTime)
	}
	if got := w.condition(kubeflowv1.JobCreated).Message; got != "PyTorchJob j is created." {
		t.Errorf("Created after placement says %q", got)
	}

	w.runAll()
	w.settle()
	if w.last() != "Running" {
		t.Errorf("last condition %s, want Running", w.last())
	}
	w.exit("j-master-0", 0)
	w.settle()
	if w.last() != "Succeeded" || w.gang != nil || len(w.pods) != 3 {
		t.Errorf("at the end: %s, gang %v, pods %s", w.last(), w.gang, w.podNames())
	}
	got := w.job.Status.ReplicaStatuses[worker]
	wantSelector := "training.kubeflow.org/job-name=j,training.kubeflow.org/operator-name=pytorchjob-controller,training.kubeflow.org/replica-type=worker"
	if diff := cmp.Diff(&kubeflowv1.ReplicaStatus{Succeeded: 2, Selector: wantSelector}, got); diff != "" {
		t.Errorf("worker status: %s", diff)
	}
	if running := w.condition(kubeflowv1.JobRunning); running.Status != corev1.ConditionFalse {
		t.Errorf("Running is %s at the end", running.Status)
	}
}

func TestRestartPolicy(t *testing.T) {
	tests := map[string]struct {
		policy kubeflowv1.RestartPolicy
		fail   func(w *world)
		last   string
		pods   string
	}{
		"never":                           {kubeflowv1.RestartPolicyNever, func(w *world) { w.exit("j-worker-0", 1) }, "Failed", "j-worker-0"},
		"on failure":                      {kubeflowv1.RestartPolicyOnFailure, func(w *world) { w.exit("j-worker-0", 1) }, "Restarting", "j-master-0 j-worker-0"},
		"exit code, permanent":            {kubeflowv1.RestartPolicyExitCode, func(w *world) { w.exit("j-worker-0", 127) }, "Failed", "j-worker-0"},
		"exit code, killed":               {kubeflowv1.RestartPolicyExitCode, func(w *world) { w.exit("j-worker-0", 137) }, "Restarting", "j-master-0 j-worker-0"},
		"exit code, none":                 {kubeflowv1.RestartPolicyExitCode, func(w *world) { w.phase("j-worker-0", corev1.PodFailed) }, "Restarting", "j-master-0 j-worker-0"},
		"never, refused by the kubelet":   {kubeflowv1.RestartPolicyNever, func(w *world) { w.refuse("j-worker-0", "OutOfcpu") }, "Restarting", "j-master-0 j-worker-0"},
		"never, node lost":                {kubeflowv1.RestartPolicyNever, func(w *world) { w.refuse("j-worker-0", "NodeLost") }, "Restarting", "j-master-0 j-worker-0"},
		"never, evicted":                  {kubeflowv1.RestartPolicyNever, func(w *world) { w.refuse("j-worker-0", "Evicted") }, "Failed", "j-worker-0"},
		"never, deleted by a person":      {kubeflowv1.RestartPolicyNever, func(w *world) { w.deletePod("j-worker-0", false) }, "Restarting", "j-master-0 j-worker-0"},
		"always, evicted":                 {kubeflowv1.RestartPolicyAlways, func(w *world) { w.refuse("j-worker-0", "Evicted") }, "Restarting", "j-master-0 j-worker-0"},
		"never, the master has succeeded": {kubeflowv1.RestartPolicyNever, func(w *world) { w.exit("j-master-0", 0); w.exit("j-worker-0", 1) }, "Succeeded", "j-master-0 j-worker-0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := started(t, newJob(1, 1, policy(tt.policy)), "n1")
			before := w.pods["j-worker-0"].UID
			tt.fail(w)
			w.settle()
			w.bury()
			w.settle()
			if w.last() != tt.last || w.podNames() != tt.pods {
				t.Fatalf("%s with pods %s, want %s with %s", w.last(), w.podNames(), tt.last, tt.pods)
			}
			if replaced := w.pods["j-worker-0"].UID != before; replaced != (tt.last == "Restarting") {
				t.Errorf("replaced: %v", replaced)
			}
			if tt.last != "Restarting" {
				if w.job.Status.CompletionTime == nil {
					t.Error("no completion time")
				}
				return
			}
			w.runAll()
			w.settle()
			if w.last() != "Running" {
				t.Errorf("%s after the restart, want Running", w.last())
			}
		})
	}
}

func TestRefusalBeforeTheStartIsNoRestart(t *testing.T) {
	w := newWorld(t, newJob(0, 1))
	w.settle()
	w.place("n1")
	w.settle()
	w.refuse("j-worker-0", "OutOfcpu")
	w.settle()
	if w.last() != "Created" || w.sent("PodReplaced") != 1 {
		t.Errorf("last condition %s, events %v", w.last(), w.events)
	}
	if got := w.pods["j-worker-0"].Status.Phase; got != corev1.PodPending {
		t.Errorf("pod is %s, want a new one", got)
	}
}

// A pod that fails again and again is replaced ever more slowly.
func TestDelayGrows(t *testing.T) {
	w := started(t, newJob(0, 1), "n1")
	var delays []time.Duration
	for range 9 {
		w.exit("j-worker-0", 1)
		w.settle()
		var waited time.Duration
		for w.pods["j-worker-0"].Status.Phase == corev1.PodFailed {
			waited += w.wake
			w.now = w.now.Add(w.wake)
			w.settle()
		}
		delays = append(delays, waited)
		w.runAll()
		w.settle()
	}
	s := time.Second
	if diff := cmp.Diff([]time.Duration{0, s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s, 60 * s}, delays); diff != "" {
		t.Error(diff)
	}
	w.now = w.now.Add(settledAfter)
	w.exit("j-worker-0", 1)
	w.settle()
	if w.pods["j-worker-0"].Status.Phase != corev1.PodPending {
		t.Error("a pod that ran long is not replaced at once")
	}
}

func TestBackoffLimit(t *testing.T) {
	limited := func(n int32) func(*kubeflowv1.PyTorchJob) {
		return func(job *kubeflowv1.PyTorchJob) { job.Spec.RunPolicy.BackoffLimit = ptr.To(n) }
	}
	t.Run("restarts in place", func(t *testing.T) {
		w := started(t, newJob(0, 2, limited(3)), "n1")
		w.pods["j-worker-0"].Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "pytorch", RestartCount: 2}}
		w.settle()
		if w.last() != "Running" {
			t.Fatalf("%s below the limit", w.last())
		}
		w.pods["j-worker-1"].Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "init", RestartCount: 1}}
		w.settle()
		if w.last() != "Failed" || !strings.Contains(w.condition(kubeflowv1.JobFailed).Message, "backoffLimit is 3") {
			t.Errorf("at the limit: %+v", w.condition(kubeflowv1.JobFailed))
		}
	})
	t.Run("pods made again", func(t *testing.T) {
		w := started(t, newJob(0, 1, limited(2)), "n1")
		w.refuse("j-worker-0", "NodeLost")
		w.settle()
		w.exit("j-worker-0", 137)
		w.now = w.now.Add(time.Minute)
		w.settle()
		if w.last() == "Failed" {
			t.Fatal("failed below the limit")
		}
		w.exit("j-worker-0", 137)
		w.settle()
		if w.last() != "Failed" {
			t.Errorf("%s at the limit", w.last())
		}
	})
	t.Run("zero allows none", func(t *testing.T) {
		w := started(t, newJob(0, 1, limited(0)), "n1")
		if w.last() != "Running" {
			t.Fatalf("%s without a restart", w.last())
		}
		w.exit("j-worker-0", 1)
		w.settle()
		if w.last() != "Failed" {
			t.Errorf("%s after one restart", w.last())
		}
	})
}
