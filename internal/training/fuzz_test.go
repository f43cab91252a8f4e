// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"math/rand/v2"
	"testing"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// FuzzDecide lets fate, byte by byte, act on a job, and holds every plan against
// the invariants (invariants_test.go). After every blow the engine must come to
// rest, and in the end a job whose troubles are over must run or be finished.
func FuzzDecide(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 1, 2, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
	f.Add([]byte{7, 3, 1, 0, 0, 1, 0, 5, 3, 6, 1, 10, 0, 0, 0, 1, 0, 11, 0})
	f.Add([]byte{4, 2, 2, 0, 1, 1, 0, 4, 1, 4, 2, 4, 3, 12, 9, 12, 9, 7, 0, 7, 1})
	f.Add([]byte{2, 9, 3, 0, 3, 2, 0, 8, 1, 13, 0, 0, 1, 14, 0, 10, 1, 10, 0})
	chance := rand.NewChaCha8([32]byte{})
	for n := range 200 {
		fate := make([]byte, 3+n)
		chance.Read(fate)
		f.Add(fate)
	}
	f.Fuzz(func(t *testing.T, fate []byte) {
		w := newWorld(t, fatedJob(&fate))
		w.holds = len(fate)%2 == 0
		w.settle()
		for len(fate) > 0 {
			w.strike(next(&fate), next(&fate))
			w.settle()
			w.checkRest()
		}
		w.recover()
	})
}

func next(fate *[]byte) byte {
	if len(*fate) == 0 {
		return 0
	}
	b := (*fate)[0]
	*fate = (*fate)[1:]
	return b
}

func fatedJob(fate *[]byte) *kubeflowv1.PyTorchJob {
	shape, rules, workers := next(fate), next(fate), int32(next(fate)%4)
	if shape&1 == 0 {
		workers++
	}
	job := newJob(int32(shape&1), workers)
	job.Spec.RunPolicy.Suspend = ptr.To(shape&8 != 0)
	if shape&2 != 0 && workers > 0 {
		job.Spec.ElasticPolicy = &kubeflowv1.ElasticPolicy{MinReplicas: ptr.To[int32](1), MaxReplicas: ptr.To(workers)}
	}
	policies := []kubeflowv1.RestartPolicy{"", kubeflowv1.RestartPolicyNever, kubeflowv1.RestartPolicyExitCode, kubeflowv1.RestartPolicyAlways}
	policy(policies[rules%4])(job)
	clean := []kubeflowv1.CleanPodPolicy{kubeflowv1.CleanPodPolicyNone, kubeflowv1.CleanPodPolicyRunning, kubeflowv1.CleanPodPolicyAll}
	job.Spec.RunPolicy.CleanPodPolicy = &clean[rules>>2%3]
	if rules&64 != 0 {
		job.Spec.RunPolicy.BackoffLimit = ptr.To[int32](2)
	}
	if rules&128 != 0 {
		job.Spec.RunPolicy.ActiveDeadlineSeconds = ptr.To[int64](300)
	}
	return job
}

// strike is one act of fate.
func (w *world) strike(act, detail byte) {
	var pod *corev1.Pod
	if names := sortedKeys(w.pods); len(names) > 0 {
		pod = w.pods[names[int(detail)%len(names)]]
	}
	w.touch(true, w.job)
	if w.gang != nil {
		w.touch(true, w.gang)
	}
	switch node := string(rune('a' + detail%5)); act % 14 {
	case 0, 1:
		if w.gang != nil {
			w.place(node, "z")
		}
	case 2:
		if w.gang != nil {
			w.unplace("Preempted", node, w.gang.Status.Placement[:min(len(w.gang.Status.Placement), int(detail%3))]...)
		}
	case 3:
		w.runAll()
	case 4, 5:
		w.hurt(pod, detail)
	case 6:
		w.bury()
	case 7:
		w.job.Spec.RunPolicy.Suspend = ptr.To(detail%2 == 0)
	case 8:
		if spec := w.job.Spec.PyTorchReplicaSpecs[worker]; spec != nil {
			spec.Replicas = ptr.To(int32(detail % 5))
		}
	case 9:
		w.lost.Insert(node)
	case 10:
		w.now = w.now.Add(time.Duration(detail) * time.Second)
	case 11:
		w.gang = nil // a person deletes it
	case 12:
		w.old = w.observe()
	case 13:
		if w.old.Job != nil {
			w.old.Now = w.now
			w.pass(w.old)
		}
	}
}

func (w *world) hurt(pod *corev1.Pod, detail byte) {
	if pod == nil || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return
	}
	switch detail % 6 {
	case 0:
		w.exit(pod.Name, 1)
	case 1:
		w.exit(pod.Name, 137)
	case 2:
		w.exit(pod.Name, 0)
	case 3:
		w.refuse(pod.Name, "OutOfcpu")
	case 4:
		w.refuse(pod.Name, "Evicted")
	case 5:
		w.deletePod(pod.Name, false)
	}
}

// recover ends all trouble and demands that the job gets somewhere.
func (w *world) recover() {
	w.t.Helper()
	w.job.Spec.RunPolicy.Suspend = nil
	w.settle()
	for range 4 {
		w.now = w.now.Add(5 * time.Minute)
		w.settle()
		w.bury()
		w.settle()
		if w.gang != nil {
			w.place("healthy")
		}
		w.settle()
		w.runAll()
		w.settle()
	}
	pods := 0
	for _, spec := range w.job.Spec.PyTorchReplicaSpecs {
		pods += int(*spec.Replicas)
	}
	if pods > 0 && !finished(&w.job.Status) && !isTrue(&w.job.Status, kubeflowv1.JobRunning) {
		w.t.Fatalf("the job gets nowhere: pods %q, conditions %+v", w.podNames(), w.job.Status.Conditions)
	}
}

func FuzzLedger(f *testing.F) {
	f.Add(`{"worker-3":[2,1]}`, int32(2))
	f.Add(`{"worker-3":[-2,1]}`, int32(0))
	f.Add(`[1]`, int32(7))
	f.Fuzz(func(t *testing.T, text string, attempt int32) {
		l := parseLedger(text)
		if again := parseLedger(l.String()); again.String() != l.String() {
			t.Fatalf("%s is read back as %s", l, again)
		}
		if attempt < 0 || attempt > 1<<30 || l["worker-0"].failures() > 1<<30 {
			return
		}
		before := l["worker-0"]
		news := l.note("worker-0", attempt, 1)
		if l.note("worker-0", attempt, 1) {
			t.Fatal("the same end counts twice")
		}
		if got := l["worker-0"].failures() - before.failures(); news != (got == 1) {
			t.Fatalf("news %v, %d more failures", news, got)
		}
	})
}
