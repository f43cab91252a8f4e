// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"testing"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// patient is a world in which the gang of a job was just made.
func patient(t *testing.T, job *kubeflowv1.PyTorchJob) *world {
	t.Helper()
	w := newWorld(t, job)
	w.holds = true
	w.settle()
	return w
}

// written is the version of the job, which changes with each status written.
func (w *world) written() string {
	w.t.Helper()
	w.settle()
	return w.job.ResourceVersion
}

func TestASmoothStartIsWrittenOnce(t *testing.T) {
	w := patient(t, newJob(1, 2))
	w.place("n1", "n2", "n3")
	if w.written() != "" || w.podNames() != "j-master-0 j-worker-0 j-worker-1" {
		t.Fatalf("before the pods run: status %+v, pods %s", w.job.Status, w.podNames())
	}
	w.phase("j-worker-0", corev1.PodRunning)
	if w.written() != "" {
		t.Errorf("while the master starts: %+v", w.job.Status)
	}
	w.phase("j-master-0", corev1.PodRunning)
	running := w.written()
	if w.last() != "Running" || !has(&w.job.Status, kubeflowv1.JobCreated) || w.job.Status.StartTime == nil {
		t.Errorf("once the master runs: %+v", w.job.Status)
	}
	if len(w.events) != 0 {
		t.Errorf("nobody was told to wait, yet there are events %v", w.events)
	}
	w.runAll()
	if w.written() == running || w.job.Status.ReplicaStatuses[worker].Active != 2 {
		t.Errorf("when all pods run, the status is %+v", w.job.Status)
	}
}

func TestAHeldStatusIsWrittenInTime(t *testing.T) {
	w := patient(t, newJob(1, 1))
	if w.written() != "" || w.held != together {
		t.Fatalf("the scheduler has not answered: status %+v, held for %s", w.job.Status, w.held)
	}
	w.now = w.now.Add(together)
	if w.written() == "" || w.last() != "Created" {
		t.Fatalf("the scheduler does not answer: status %+v", w.job.Status)
	}
	w.place("n1")
	if w.settle(); w.job.Status.StartTime == nil {
		t.Errorf("it was told to wait, and starts: status %+v", w.job.Status)
	}
}

func TestPodsThatDoNotComeUp(t *testing.T) {
	w := patient(t, newJob(1, 1))
	w.place("n1")
	if w.written() != "" {
		t.Fatalf("the pods were just made: status %+v", w.job.Status)
	}
	w.now = w.now.Add(together)
	if w.written() == "" || w.job.Status.StartTime == nil {
		t.Errorf("the pods do not come up: status %+v", w.job.Status)
	}
}

func TestWhatIsNotHeld(t *testing.T) {
	t.Run("why it waits", func(t *testing.T) {
		w := patient(t, newJob(1, 0))
		w.unplace("InsufficientResources", "needs 3 GPUs, 1 is free")
		if w.written() == "" || w.sent("InsufficientResources") != 1 {
			t.Errorf("status %+v, events %v", w.job.Status, w.events)
		}
		w.place("n1")
		waited := w.job.ResourceVersion
		if w.written() == waited || w.job.Status.StartTime == nil {
			t.Errorf("after it waited: status %+v", w.job.Status)
		}
	})
	t.Run("an end", func(t *testing.T) {
		w := patient(t, newJob(1, 0))
		w.place("n1")
		w.settle()
		w.exit("j-master-0", 0)
		if w.written() == "" || w.last() != "Succeeded" {
			t.Errorf("status %+v", w.job.Status)
		}
	})
	t.Run("clocks that differ", func(t *testing.T) {
		w := patient(t, newJob(1, 0))
		w.gang.CreationTimestamp = metav1.NewTime(w.now.Add(time.Hour))
		if w.written() == "" {
			t.Error("waits for an hour")
		}
	})
}

// TestAcceptedBeforeItIsWritten: a job that was accepted is not failed by a bad edit,
// written or not.
func TestAcceptedBeforeItIsWritten(t *testing.T) {
	w := patient(t, newJob(0, 1))
	w.place("n1")
	w.settle()
	w.job.Spec.PyTorchReplicaSpecs[worker].Template.Spec.Containers[0].Image = ""
	w.settle()
	if w.last() != "Created" || len(w.pods) != 1 || w.sent("InvalidSpec") != 1 {
		t.Errorf("status %+v, pods %s, events %v", w.job.Status, w.podNames(), w.events)
	}
}
