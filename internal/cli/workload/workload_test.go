// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

func kindNamed(t *testing.T, name string) Kind {
	t.Helper()
	kind := parseKind(name)
	if kind.IsLoose() {
		t.Fatalf("%s is none of Kinds", name)
	}
	return kind
}

// jobWith is a job of one master and two workers with conditions that are True,
// each "Type: message".
func jobWith(conditions ...string) *kubeflowv1.PyTorchJob {
	job := &kubeflowv1.PyTorchJob{ObjectMeta: metav1.ObjectMeta{Name: "tiny", Namespace: "team", UID: "1"}}
	job.Spec.PyTorchReplicaSpecs = map[kubeflowv1.ReplicaType]*kubeflowv1.ReplicaSpec{
		"Master": {}, "Worker": {Replicas: ptr.To(int32(2))},
	}
	for _, c := range conditions {
		kind, message, _ := strings.Cut(c, ": ")
		job.Status.Conditions = append(job.Status.Conditions, kubeflowv1.JobCondition{
			Type: kubeflowv1.JobConditionType(kind), Status: corev1.ConditionTrue, Message: message,
		})
	}
	return job
}

func gangOf(owner types.UID, placed metav1.ConditionStatus, message string) slipwayv1.Gang {
	gang := slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{
		Name: "gang-" + string(placed), Namespace: "team",
		OwnerReferences: []metav1.OwnerReference{{UID: owner, Controller: ptr.To(true)}},
	}}
	if placed != "" {
		gang.Status.Conditions = []metav1.Condition{{Type: slipwayv1.ConditionPlaced, Status: placed, Message: message}}
	}
	return gang
}

func TestKindOfLooksAtTheGroup(t *testing.T) {
	for apiVersion, want := range map[string]bool{"kubeflow.org/v1": true, "example.org/v1": false} {
		job := &kubeflowv1.PyTorchJob{TypeMeta: metav1.TypeMeta{APIVersion: apiVersion, Kind: "PyTorchJob"}}
		if _, known := KindOf(job); known != want {
			t.Errorf("PyTorchJob of %s: %v", apiVersion, known)
		}
	}
}

func podOf(rank int, change ...func(*corev1.Pod)) corev1.Pod {
	kind, index := "master", rank
	if rank > 0 {
		kind, index = "worker", rank-1
	}
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Name: "tiny-" + kind + "-" + strconv.Itoa(index), Namespace: "team",
		Labels: map[string]string{
			kubeflowv1.JobNameLabel: "tiny", kubeflowv1.ReplicaTypeLabel: kind, kubeflowv1.ReplicaIndexLabel: strconv.Itoa(index),
		},
	}}
	pod.Status.Phase = corev1.PodRunning
	for _, each := range change {
		each(&pod)
	}
	return pod
}

func waiting(reason, message string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.Phase = corev1.PodPending
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
		}}
	}
}

func exited(code int32, reason string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.Phase = corev1.PodFailed
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason}},
		}}
	}
}

func TestStateOfJobs(t *testing.T) {
	const created = "Created: PyTorchJob tiny is created."
	done := jobWith(created, "Succeeded: ")
	done.Status.StartTime = ptr.To(metav1.NewTime(time.Unix(0, 0)))
	done.Status.CompletionTime = ptr.To(metav1.NewTime(time.Unix(192, 0)))
	for _, c := range []struct {
		name  string
		job   *kubeflowv1.PyTorchJob
		gangs []slipwayv1.Gang
		pods  []corev1.Pod
		want  State
	}{
		{"unseen", jobWith(), nil, nil, State{Status: "Pending", Total: 3, Reason: "no controller has seen it yet; see: slipway status"}},
		{"before its gang", jobWith(created), nil, nil, State{Status: "Waiting", Total: 3}},
		{"blocked", jobWith(created + " It waits: a pod is in\nthe way"), nil, nil, State{Status: "Waiting", Total: 3, Reason: "a pod is in the way"}},
		{"undecided", jobWith(created), []slipwayv1.Gang{gangOf("1", "", "")}, nil, State{Status: "Waiting", Total: 3, Reason: "the scheduler has not decided yet"}},
		{"waits", jobWith(created), []slipwayv1.Gang{gangOf("2", "False", "other"), gangOf("1", "False", "needs 3 GPUs")}, nil, State{Status: "Waiting", Total: 3, Reason: "needs 3 GPUs"}},
		{"placed", jobWith(created), []slipwayv1.Gang{gangOf("1", "True", "")}, []corev1.Pod{podOf(0, waiting("ContainerCreating", ""))},
			State{Status: "Starting", Total: 3, Reason: "waiting for containers to start"}},
		{"placed, and not told yet", jobWith(), []slipwayv1.Gang{gangOf("1", "True", "")}, []corev1.Pod{podOf(0, waiting("ContainerCreating", ""))},
			State{Status: "Starting", Total: 3, Reason: "waiting for containers to start"}},
		{"no image", jobWith(created), []slipwayv1.Gang{gangOf("1", "True", "")},
			[]corev1.Pod{podOf(2, waiting("ErrImagePull", "not found")), podOf(0, waiting("ImagePullBackOff", "")), podOf(1, waiting("ErrImagePull", ""))},
			State{Status: "Starting", Total: 3, Reason: "tiny-master-0 ImagePullBackOff (and 2 more pods)"}},
		{"no image for two", jobWith(created), []slipwayv1.Gang{gangOf("1", "True", "")},
			[]corev1.Pod{podOf(0, waiting("ImagePullBackOff", "")), podOf(1, waiting("ErrImagePull", ""))},
			State{Status: "Starting", Total: 3, Reason: "tiny-master-0 ImagePullBackOff (and 1 more pod)"}},
		{"lost a node", jobWith(created, "Running: "), []slipwayv1.Gang{gangOf("1", "False", "1 pod of 3 lost node n2")}, []corev1.Pod{podOf(0), podOf(1)},
			State{Status: "Running", Running: 2, Total: 3, Reason: "1 pod of 3 lost node n2"}},
		{"refused pods", jobWith("Created: PyTorchJob tiny is created. It waits: exceeded quota"), []slipwayv1.Gang{gangOf("1", "True", "")}, nil,
			State{Status: "Waiting", Total: 3, Reason: "exceeded quota"}},
		{"edited wrongly", jobWith("Created: PyTorchJob tiny is created. It waits: is edited wrongly", "Running: "), []slipwayv1.Gang{gangOf("1", "True", "")}, []corev1.Pod{podOf(0)},
			State{Status: "Running", Running: 1, Total: 3, Reason: "is edited wrongly"}},
		{"runs", jobWith(created, "Running: "), []slipwayv1.Gang{gangOf("1", "True", "")}, []corev1.Pod{podOf(0), podOf(1)}, State{Status: "Running", Running: 2, Total: 3}},
		{"restarts", jobWith(created, "Restarting: a worker failed"), nil, []corev1.Pod{podOf(0), podOf(1, exited(137, "OOMKilled"))},
			State{Status: "Restarting", Running: 1, Total: 3, Reason: "a worker failed: tiny-worker-0 was killed for using more memory than its limit (OOMKilled); raise --memory"}},
		{"gave way", jobWith(created, "Restarting: it gave its places to b."), []slipwayv1.Gang{gangOf("1", "False", "gave its places to b")}, nil,
			State{Status: "Restarting", Total: 3, Reason: "it gave its places to b"}},
		{"gave way, and is promised a start", jobWith(created, "Restarting: it gave its places to b."), []slipwayv1.Gang{gangOf("1", "False", "gave its places to b; expected to start by noon")}, nil,
			State{Status: "Restarting", Total: 3, Reason: "it gave its places to b; expected to start by noon"}},
		{"waits again", jobWith(created, "Restarting: PyTorchJob tiny is restarting because its place was taken away: it gave its places to b."), []slipwayv1.Gang{gangOf("1", "False", "needs 3 GPUs")}, nil,
			State{Status: "Restarting", Total: 3, Reason: "its place was taken away: it gave its places to b; it waits: needs 3 GPUs"}},
		{"suspended", jobWith(created, "Suspended: "), nil, nil, State{Status: "Suspended", Total: 3, Reason: "spec.runPolicy.suspend is true"}},
		{"failed", jobWith(created, "Failed: job has failed."), nil, []corev1.Pod{podOf(1, exited(1, "Error"))},
			State{Status: "Failed", Total: 3, Reason: "job has failed: tiny-worker-0 exited with code 1", Ended: true, Failed: true}},
		{"succeeded", done, nil, nil, State{Status: "Succeeded", Total: 3, Reason: "took 3m12s", Ended: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := Assemble(kindNamed(t, "pytorchjob"), c.job, c.gangs, c.pods)
			if diff := cmp.Diff(c.want, w.State()); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStateOfModels(t *testing.T) {
	model := func(replicas, ready int32, conditions ...metav1.Condition) *slipwayv1.Model {
		return &slipwayv1.Model{
			ObjectMeta: metav1.ObjectMeta{Name: "tiny", Namespace: "team", UID: "1", Generation: 2},
			Spec:       slipwayv1.ModelSpec{Replicas: &replicas},
			Status:     slipwayv1.ModelStatus{ObservedGeneration: 2, ReadyReplicas: ready, Conditions: conditions},
		}
	}
	is := func(kind string, status metav1.ConditionStatus, message string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Message: message}
	}
	old := model(1, 1, is("Ready", "True", ""))
	old.Status.ObservedGeneration = 1
	for _, c := range []struct {
		name  string
		model *slipwayv1.Model
		gangs []slipwayv1.Gang
		want  State
	}{
		{"unseen", model(1, 0), nil, State{Status: "Pending", Total: 1, Reason: "no controller has seen it yet; see: slipway status"}},
		{"changed", old, nil, State{Status: "Starting", Running: 1, Total: 1, Reason: "the controller has not seen the change yet"}},
		{"starting", model(2, 1, is("Ready", "False", "loading weights")), nil, State{Status: "Starting", Running: 1, Total: 2, Reason: "loading weights"}},
		{"waits", model(1, 0, is("Ready", "False", "no replica")), []slipwayv1.Gang{gangOf("1", "True", ""), gangOf("1", "False", "no GPU")}, State{Status: "Waiting", Total: 1, Reason: "no GPU"}},
		{"ready", model(1, 1, is("Ready", "True", "")), nil, State{Status: "Ready", Running: 1, Total: 1}},
		{"stopped", model(0, 0, is("Ready", "False", "")), nil, State{Status: "Stopped", Reason: "spec.replicas is 0"}},
		{"stalled", model(1, 0, is("Ready", "False", ""), is("Stalled", "True", "there is no claim data")), nil,
			State{Status: "Stalled", Total: 1, Reason: "there is no claim data", Stalled: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := Assemble(kindNamed(t, "model"), c.model, c.gangs, nil)
			if diff := cmp.Diff(c.want, w.State()); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRanks(t *testing.T) {
	w := Assemble(kindNamed(t, "pytorchjob"), jobWith(), nil, []corev1.Pod{podOf(2), podOf(0), podOf(1)})
	if got := w.Ranks(); got != 3 {
		t.Errorf("%d ranks, want 3", got)
	}
	for i := range w.Pods {
		if got := w.Rank(&w.Pods[i]); int(got) != i {
			t.Errorf("%s is in place %d and has rank %d", w.Pods[i].Name, i, got)
		}
	}
}

func TestParseRef(t *testing.T) {
	for _, c := range []struct{ text, kinds, name, problem string }{
		{"tiny", "pytorchjob job model", "tiny", ""},
		{"jobs/tiny", "job", "tiny", ""},
		{"pytorchjob/tiny", "pytorchjob", "tiny", ""},
		{"PyTorchJobs/tiny", "pytorchjob", "tiny", ""},
		{"mdl/tiny", "model", "tiny", ""},
		{"pod/tiny", "pod", "tiny", ""},
		{"Pods/tiny", "pod", "tiny", ""},
		{"deployment.apps/web", "deployment", "web", ""},
		{"sts/db", "statefulset", "db", ""},
		{"podgroup/pair", "podgroup", "pair", ""},
		{"/tiny", "", "", `"/tiny" names no workload`},
		{"model/", "", "", `"model/" names no workload`},
		{"", "", "", `"" names no workload`},
		{"model/a/b", "", "", `"model/a/b" names no workload`},
	} {
		ref, err := ParseRef(c.text)
		if c.problem != "" {
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%q: got %v, want %s", c.text, err, c.problem)
			}
			continue
		}
		var kinds []string
		for _, kind := range ref.Kinds {
			kinds = append(kinds, kind.Name)
		}
		if err != nil || strings.Join(kinds, " ") != c.kinds || ref.Name != c.name {
			t.Errorf("%q: got %v/%s, %v", c.text, kinds, ref.Name, err)
		}
	}
}

func TestMainContainer(t *testing.T) {
	pod := podOf(0)
	pod.Spec.Containers = []corev1.Container{{Name: "sidecar"}, {Name: "pytorch"}, {Name: "other"}}
	if got := kindNamed(t, "pytorchjob").MainContainer(&pod); got != "pytorch" {
		t.Errorf("of a job: %s", got)
	}
	if got := kindNamed(t, "model").MainContainer(&pod); got != "sidecar" {
		t.Errorf("of a model: %s", got)
	}
	pod.Annotations = map[string]string{"kubectl.kubernetes.io/default-container": "other"}
	if got := kindNamed(t, "pytorchjob").MainContainer(&pod); got != "other" {
		t.Errorf("with an annotation: %s", got)
	}
}
