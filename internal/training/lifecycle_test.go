// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"strings"
	"testing"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestSuspendAndResume(t *testing.T) {
	w := started(t, newJob(1, 2), "n1")
	start := w.job.Status.StartTime
	w.now = w.now.Add(time.Hour)
	w.job.Spec.RunPolicy.Suspend = ptr.To(true)
	w.settle()
	if w.gang == nil {
		t.Error("the place is given back while pods are still on it")
	}
	if got := w.job.Status.ReplicaStatuses[worker].Active; got != 0 {
		t.Errorf("active is %d at once after suspending", got)
	}
	w.bury()
	w.settle()
	if len(w.pods)+len(w.services) != 0 || w.gang != nil || w.last() != "Suspended" {
		t.Fatalf("pods %s, %d services, gang %v, %s", w.podNames(), len(w.services), w.gang != nil, w.last())
	}
	if c := w.condition(kubeflowv1.JobRunning); c.Status != corev1.ConditionFalse || c.Reason != "PyTorchJobSuspended" {
		t.Errorf("Running is %+v", c)
	}
	w.job.Spec.PyTorchReplicaSpecs[worker].Template.Spec.NodeSelector = map[string]string{"flavour": "spot"}
	w.job.Spec.RunPolicy.Suspend = ptr.To(false)
	w.settle()
	if c := w.condition(kubeflowv1.JobSuspended); c.Status != corev1.ConditionFalse || c.Reason != "PyTorchJobResumed" {
		t.Errorf("Suspended is %+v", c)
	}
	w.place("n1")
	w.settle()
	if got := w.pods["j-worker-0"].Spec.NodeSelector["flavour"]; got != "spot" {
		t.Errorf("a change made while suspended is lost: %q", got)
	}
	if !w.job.Status.StartTime.After(start.Time) {
		t.Errorf("startTime %v is not reset", w.job.Status.StartTime)
	}
	w.runAll()
	w.settle()
	if w.last() != "Running" {
		t.Errorf("%s after resuming", w.last())
	}
}

// TestStartIsRecalled holds that limits on time hold also when the pass that made
// the first pods could not write down that it did.
func TestStartIsRecalled(t *testing.T) {
	w := started(t, newJob(1, 1), "n1")
	for _, pod := range w.pods {
		pod.CreationTimestamp = metav1.NewTime(w.now.Add(-time.Minute).Truncate(time.Second))
	}
	w.job.Status.StartTime = nil
	w.settle()
	if start := w.job.Status.StartTime; start == nil || w.now.Sub(start.Time) < time.Minute {
		t.Errorf("startTime is %v; the first pod was made a minute before %v", start, w.now)
	}
}

func TestResumedBeforeThePodsAreGone(t *testing.T) {
	w := started(t, newJob(0, 2), "n1")
	w.job.Spec.RunPolicy.Suspend = ptr.To(true)
	w.settle()
	w.job.Spec.RunPolicy.Suspend = nil
	w.settle()
	delete(w.pods, "j-worker-0")
	w.settle()
	if w.podNames() != "j-worker-1" {
		t.Fatalf("pods %s: started while some of the last run remain", w.podNames())
	}
	w.bury()
	w.settle()
	if w.podNames() != "j-worker-0 j-worker-1" || has(&w.job.Status, kubeflowv1.JobRestarting) {
		t.Errorf("pods %s, conditions %+v", w.podNames(), w.job.Status.Conditions)
	}
}

func TestCreatedSuspended(t *testing.T) {
	w := newWorld(t, newJob(1, 1, func(job *kubeflowv1.PyTorchJob) { job.Spec.RunPolicy.Suspend = ptr.To(true) }))
	w.settle()
	if w.gang != nil || len(w.pods) != 0 || w.job.Status.StartTime != nil || w.last() != "Suspended" {
		t.Errorf("gang %v, pods %s, start %v, %s", w.gang != nil, w.podNames(), w.job.Status.StartTime, w.last())
	}
}

func TestCleanPodPolicy(t *testing.T) {
	for policy, want := range map[kubeflowv1.CleanPodPolicy]struct {
		pods     string
		services int
	}{
		kubeflowv1.CleanPodPolicyNone:    {"j-master-0 j-worker-0 j-worker-1", 3},
		kubeflowv1.CleanPodPolicyRunning: {"j-master-0 j-worker-1", 2},
		kubeflowv1.CleanPodPolicyAll:     {"", 0},
	} {
		t.Run(string(policy), func(t *testing.T) {
			w := started(t, newJob(1, 2, func(job *kubeflowv1.PyTorchJob) { job.Spec.RunPolicy.CleanPodPolicy = &policy }), "n1")
			w.exit("j-worker-1", 0)
			w.exit("j-master-0", 0)
			w.settle()
			if leaving := policy != kubeflowv1.CleanPodPolicyNone; leaving != (w.gang != nil) {
				t.Errorf("gang %v while pods leave: %v", w.gang != nil, leaving)
			}
			w.bury()
			w.settle()
			if w.podNames() != want.pods || len(w.services) != want.services || w.gang != nil {
				t.Errorf("pods %q, %d services, gang %v; want %+v", w.podNames(), len(w.services), w.gang != nil, want)
			}
		})
	}
}

// TestFailedJobRunsOnInNoPod holds that no pod of a job that failed goes on, whatever its policy, since
// its place is another's by then; but those that have ended stay with their names, as None says.
func TestFailedJobRunsOnInNoPod(t *testing.T) {
	for name, tt := range map[string]struct {
		policy *kubeflowv1.CleanPodPolicy
		end    func(*world)
		kept   string
	}{
		"past its deadline": {nil, func(w *world) { w.now = w.now.Add(time.Hour) }, "j-worker-0"},
		"past its backoff limit": {ptr.To(kubeflowv1.CleanPodPolicyNone), func(w *world) {
			w.pods["j-master-0"].Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "pytorch", RestartCount: 9}}
		}, "j-worker-0"},
		"a rank died":                  {nil, func(w *world) { w.exit("j-worker-1", 1) }, "j-worker-0 j-worker-1"},
		"a rank died, nothing to keep": {ptr.To(kubeflowv1.CleanPodPolicyAll), func(w *world) { w.exit("j-worker-1", 1) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := started(t, newJob(1, 3, policy(kubeflowv1.RestartPolicyExitCode), func(job *kubeflowv1.PyTorchJob) {
				job.Spec.RunPolicy.CleanPodPolicy = tt.policy
				job.Spec.RunPolicy.ActiveDeadlineSeconds = ptr.To[int64](3600)
				job.Spec.RunPolicy.BackoffLimit = ptr.To[int32](9)
			}), "n1")
			w.exit("j-worker-0", 0)
			w.settle()
			tt.end(w)
			w.settle()
			if w.last() != "Failed" || w.gang == nil {
				t.Fatalf("%s, gang %v: its places are given back before its pods have ended", w.last(), w.gang != nil)
			}
			w.bury()
			w.settle()
			services := strings.Join(sortedKeys(w.services), " ")
			if w.podNames() != tt.kept || services != tt.kept || w.gang != nil {
				t.Errorf("pods %q, services %q, gang %v; want of both %q", w.podNames(), services, w.gang != nil, tt.kept)
			}
		})
	}
}

func TestTimeToLive(t *testing.T) {
	w := started(t, newJob(1, 0, policy(kubeflowv1.RestartPolicyExitCode), func(job *kubeflowv1.PyTorchJob) {
		job.Spec.RunPolicy.TTLSecondsAfterFinished = ptr.To[int32](60)
	}), "n1")
	w.exit("j-master-0", 1)
	w.settle()
	if w.deleted || w.wake != time.Minute {
		t.Fatalf("deleted %v, wake %v; want a wake-up in a minute", w.deleted, w.wake)
	}
	w.now = w.now.Add(w.wake)
	w.step()
	if !w.deleted {
		t.Error("the job outlives its time")
	}
}

func TestActiveDeadline(t *testing.T) {
	w := newWorld(t, newJob(1, 0, func(job *kubeflowv1.PyTorchJob) {
		job.Spec.RunPolicy.ActiveDeadlineSeconds = ptr.To[int64](90)
		job.Spec.RunPolicy.CleanPodPolicy = ptr.To(kubeflowv1.CleanPodPolicyAll)
	}))
	w.settle()
	w.now = w.now.Add(time.Hour)
	w.settle()
	if w.last() != "Created" {
		t.Fatalf("%s: waiting for a place is not being active", w.last())
	}
	w.place("n1")
	w.settle()
	w.runAll()
	w.settle()
	if w.wake != 90*time.Second {
		t.Fatalf("wake-up in %v, want 90s", w.wake)
	}
	w.now = w.now.Add(w.wake)
	w.settle()
	w.bury()
	w.settle()
	c := w.condition(kubeflowv1.JobFailed)
	if !strings.Contains(c.Message, "was active longer than specified deadline") || len(w.pods) != 0 || w.gang != nil {
		t.Errorf("%+v, pods %s", c, w.podNames())
	}
}

func TestDeadlineDoesNotRunInTheQueueAfterResuming(t *testing.T) {
	w := started(t, newJob(1, 0, func(job *kubeflowv1.PyTorchJob) {
		job.Spec.RunPolicy.ActiveDeadlineSeconds = ptr.To[int64](90)
		job.Spec.RunPolicy.Suspend = ptr.To(false)
	}), "n1")
	*w.job.Spec.RunPolicy.Suspend = true
	w.settle()
	w.bury()
	w.settle()
	*w.job.Spec.RunPolicy.Suspend = false
	w.settle()
	w.now = w.now.Add(time.Hour)
	w.settle()
	if w.last() != "Suspended" || w.gang == nil {
		t.Errorf("%s, gang %v: want to wait on", w.last(), w.gang != nil)
	}
}

// TestDeadlineCoversOneStay holds that a job which gave way neither fails while it waits, nor when it is
// seen only then that it gave way, and that it has all its time when it starts again; a pod that is made
// again in the job's places gives it none.
func TestDeadlineCoversOneStay(t *testing.T) {
	w := started(t, newJob(1, 0, func(job *kubeflowv1.PyTorchJob) { job.Spec.RunPolicy.ActiveDeadlineSeconds = ptr.To[int64](40) }), "n1")
	w.now = w.now.Add(7 * time.Second)
	w.unplace("Preempted", "made room for team-b/big")
	w.now = w.now.Add(time.Minute)
	w.settle()
	w.bury()
	w.settle()
	w.now = w.now.Add(time.Hour)
	w.settle()
	if w.last() != "Restarting" {
		t.Fatalf("%s, want to wait on", w.last())
	}
	w.place("n2")
	w.settle()
	w.runAll()
	w.settle()
	if w.last() != "Running" || w.wake != 40*time.Second {
		t.Fatalf("%s, wake-up in %v, want Running and 40s", w.last(), w.wake)
	}
	w.now = w.now.Add(30 * time.Second)
	w.exit("j-master-0", 1)
	w.settle()
	w.runAll()
	w.settle()
	if w.last() != "Running" || w.wake != 10*time.Second {
		t.Fatalf("%s, wake-up in %v, want Running and 10s", w.last(), w.wake)
	}
	w.unplace("NodeLost", "node n2 is lost and no other has room", w.gang.Status.Placement...)
	w.now = w.now.Add(w.wake)
	w.settle()
	if w.last() != "Failed" {
		t.Errorf("%s: it has its places past its deadline", w.last())
	}
}

func TestInvalid(t *testing.T) {
	w := newWorld(t, newJob(0, 1, func(job *kubeflowv1.PyTorchJob) {
		job.Spec.PyTorchReplicaSpecs[worker].Template.Spec.Containers = nil
	}))
	w.settle()
	c := w.condition(kubeflowv1.JobFailed)
	if c.Reason != "PyTorchJobFailedValidation" || w.gang != nil || w.job.Status.CompletionTime == nil {
		t.Errorf("%+v, gang %v", c, w.gang != nil)
	}
	want := "spec.pytorchReplicaSpecs.Worker.template.spec.containers: none is named pytorch; give the container that trains this name; correct it and create the job again"
	if c.Message != want {
		t.Errorf("message\n%s, want\n%s", c.Message, want)
	}
}

func TestRunningJobSurvivesABadEdit(t *testing.T) {
	w := started(t, newJob(0, 1), "n1")
	image := &w.job.Spec.PyTorchReplicaSpecs[worker].Template.Spec.Containers[0].Image
	*image = ""
	w.settle()
	if w.last() != "Running" || len(w.pods) != 1 || w.sent("InvalidSpec") != 1 {
		t.Fatalf("%s, pods %s, events %v", w.last(), w.podNames(), w.events)
	}
	w.job.Spec.RunPolicy.Suspend = ptr.To(true)
	w.settle()
	if w.last() != "Suspended" {
		t.Errorf("%s: suspending must work whatever the spec says", w.last())
	}
	w.job.Spec.RunPolicy.Suspend = nil
	*image = "train:2"
	w.bury()
	w.settle()
	if m := w.condition(kubeflowv1.JobCreated).Message; strings.Contains(m, "not followed") {
		t.Errorf("Created still says %q", m)
	}
}

func TestNothingIsMadeOfAJobWithoutPods(t *testing.T) {
	w := newWorld(t, newJob(0, 1, func(job *kubeflowv1.PyTorchJob) {
		job.Spec.PyTorchReplicaSpecs[worker].Replicas = ptr.To[int32](0)
	}))
	w.settle()
	w.place("n1")
	w.settle()
	if w.last() != "Created" {
		t.Errorf("a job of no pods is %s", w.last())
	}
}
