// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"strings"
	"testing"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

func TestLostNode(t *testing.T) {
	w := started(t, newJob(1, 2, policy(kubeflowv1.RestartPolicyNever)), "n1", "n2")
	w.lost.Insert("n2")
	w.deletePod("j-worker-1", false) // as the taint manager does
	w.settle()
	if w.last() != "Restarting" || len(w.pods) != 3 {
		t.Fatalf("%s with pods %s", w.last(), w.podNames())
	}
	w.place("n1", "n3") // j-worker-1 and nothing else moves
	w.settle()
	pod := w.pods["j-worker-1"]
	if pod == nil || pod.Spec.NodeName != "n3" || pod.DeletionTimestamp != nil {
		t.Fatalf("worker 1 did not move: %+v", pod)
	}
	w.runAll()
	w.settle()
	if w.last() != "Running" {
		t.Errorf("%s at the end, want Running", w.last())
	}
}

// A node that blinks must not cost what was computed since the last checkpoint.
func TestLostNodeWithoutAnother(t *testing.T) {
	w := started(t, newJob(1, 1), "n1", "n2")
	master := w.pods["j-master-0"].UID
	w.lost.Insert("n1")
	w.unplace("NodeLost", "node n1 is lost and no other has room", w.gang.Status.Placement...)
	w.settle()
	if w.pods["j-master-0"] == nil || w.pods["j-master-0"].DeletionTimestamp != nil || w.last() != "Running" {
		t.Fatalf("pods %s, %s", w.podNames(), w.last())
	}
	if m := w.condition(kubeflowv1.JobCreated).Message; !strings.HasSuffix(m, "node n1 is lost and no other has room") {
		t.Errorf("Created says %q", m)
	}
	w.deletePod("j-worker-0", true)
	w.settle()
	if w.pods["j-worker-0"] != nil {
		t.Error("a pod is made for a gang that waits")
	}
	w.lost.Delete("n1")
	w.place("n1")
	w.settle()
	if len(w.pods) != 2 || w.pods["j-master-0"].UID != master {
		t.Errorf("pods %s: the master was not kept", w.podNames())
	}
}

// The kubelet refuses a pod because somebody else's took its room: the scheduler
// gives the rank another node, and there it is made again.
func TestRefusedPodMoves(t *testing.T) {
	w := started(t, newJob(0, 2, policy(kubeflowv1.RestartPolicyNever)), "n1")
	other := w.pods["j-worker-0"].UID
	w.refuse("j-worker-1", "OutOfcpu")
	w.unplace("NodeLost", "1 pod of 2 lost their room on node n1", w.gang.Status.Placement...)
	w.settle()
	if w.podNames() != "j-worker-0 j-worker-1" || w.pods["j-worker-0"].UID != other {
		t.Fatalf("pods %s while the gang waits for another node", w.podNames())
	}
	w.place("n1", "n2")
	w.settle()
	pod := w.pods["j-worker-1"]
	if pod == nil || pod.Spec.NodeName != "n2" || pod.Status.Phase != corev1.PodPending {
		t.Fatalf("worker 1 did not move: %+v", pod)
	}
	if w.pods["j-worker-0"].UID != other || w.sent("PodReplaced") != 1 {
		t.Errorf("worker 0 replaced: %v, events %v", w.pods["j-worker-0"].UID != other, w.events)
	}
	w.runAll()
	w.settle()
	if w.last() != "Running" {
		t.Errorf("%s at the end, want Running", w.last())
	}
}

// A node dies while nobody has deleted the pod yet.
func TestMovedPodOfALostNodeIsForced(t *testing.T) {
	w := started(t, newJob(0, 2), "n1", "n2")
	w.lost.Insert("n2")
	w.place("n1", "n3")
	w.settle()
	if got := w.pods["j-worker-1"].Spec.NodeName; got != "n3" {
		t.Errorf("worker 1 is on %s, want n3", got)
	}
	if m := w.condition(kubeflowv1.JobRestarting).Message; !strings.Contains(m, "j-worker-1 is on node n2, which is lost") {
		t.Errorf("Restarting says %q", m)
	}
}

func TestMovedPodOfALivingNodeLeavesInPeace(t *testing.T) {
	w := started(t, newJob(0, 2), "n1", "n2")
	w.place("n1", "n3")
	w.settle()
	if pod := w.pods["j-worker-1"]; pod.DeletionTimestamp == nil || pod.Spec.NodeName != "n2" {
		t.Fatalf("worker 1 is not leaving: %+v", pod.ObjectMeta)
	}
	w.bury()
	w.settle()
	if got := w.pods["j-worker-1"].Spec.NodeName; got != "n3" {
		t.Errorf("worker 1 is on %s, want n3", got)
	}
}

func TestPodStuckOnALostNodeGoesOnSuspend(t *testing.T) {
	w := started(t, newJob(0, 1), "n1")
	w.lost.Insert("n1")
	w.job.Spec.RunPolicy.Suspend = ptr.To(true)
	w.settle()
	if len(w.pods) != 1 || w.gang == nil {
		t.Fatal("the pod or its place is gone before the deletion was given its time")
	}
	w.now = w.now.Add(w.wake)
	w.settle()
	if len(w.pods) != 0 || w.gang != nil {
		t.Errorf("pods %s and gang %v stay", w.podNames(), w.gang != nil)
	}
}

func TestPlaceTakenAway(t *testing.T) {
	w := started(t, newJob(1, 1), "n1")
	start := w.job.Status.StartTime
	w.now = w.now.Add(time.Minute)
	w.unplace("Preempted", "made room for team-b/big; expected to start by 2026-01-02T10:00:00Z")
	w.settle()
	w.bury()
	w.settle()
	if len(w.pods) != 0 || w.last() != "Restarting" || w.gang == nil || w.job.Status.StartTime != nil {
		t.Fatalf("pods %s, %s, gang %v, started at %v", w.podNames(), w.last(), w.gang != nil, w.job.Status.StartTime)
	}
	if m := w.condition(kubeflowv1.JobRestarting).Message; m != "PyTorchJob j is restarting because its place was taken away: it made room for team-b/big." {
		t.Errorf("Restarting says %q", m)
	}
	if m := w.condition(kubeflowv1.JobCreated).Message; !strings.HasSuffix(m, "made room for team-b/big; expected to start by 2026-01-02T10:00:00Z") {
		t.Errorf("Created says %q", m)
	}
	w.place("n9")
	w.settle()
	w.runAll()
	w.settle()
	if again := w.job.Status.StartTime; w.last() != "Running" || again == nil || !again.After(start.Time) {
		t.Errorf("%s, started at %v, want Running, and a start after %v", w.last(), again, start)
	}
}

func TestScale(t *testing.T) {
	w := started(t, newJob(0, 2), "n1")
	w.job.Spec.PyTorchReplicaSpecs[worker].Replicas = ptr.To[int32](4)
	w.settle()
	if got := w.gang.Spec.PodSets[0].Count; got != 4 || len(w.pods) != 2 {
		t.Fatalf("gang asks for %d, %d pods", got, len(w.pods))
	}
	w.gang.Status.ObservedGeneration = w.gang.Generation
	w.gang.Status.Conditions[0].Reason, w.gang.Status.Conditions[0].Message = "InsufficientResources", "needs 2 GPUs, 0 are free"
	w.settle()
	if m := w.condition(kubeflowv1.JobCreated).Message; !strings.HasSuffix(m, "2 of 4 pods have no place yet: needs 2 GPUs, 0 are free") {
		t.Errorf("Created says %q", m)
	}
	w.place("n1")
	w.settle()
	if len(w.pods) != 4 || len(w.services) != 4 {
		t.Fatalf("%d pods and %d services, want 4", len(w.pods), len(w.services))
	}
	w.runAll()
	w.settle()
	w.job.Spec.PyTorchReplicaSpecs[worker].Replicas = ptr.To[int32](1)
	w.settle()
	w.bury()
	w.settle()
	if w.podNames() != "j-worker-0" || len(w.services) != 1 || w.last() != "Running" {
		t.Errorf("pods %s, %d services, %s", w.podNames(), len(w.services), w.last())
	}
}

func TestStartWaitsForTheSchedulersAnswerToTheGangAsItIs(t *testing.T) {
	w := newWorld(t, newJob(0, 2))
	w.settle()
	w.place("n1")
	w.gang.Status.ObservedGeneration = 0
	w.settle()
	if len(w.pods) != 0 {
		t.Fatalf("pods %s on an answer to an older question", w.podNames())
	}
	w.place("n1")
	w.gang.Status.Placement[0].Slots = w.gang.Status.Placement[0].Slots[:1]
	w.settle()
	if len(w.pods) != 0 {
		t.Fatalf("pods %s on half a placement", w.podNames())
	}
	w.job.Spec.PyTorchReplicaSpecs[worker].Template.Spec.NodeSelector = map[string]string{"gpu": "h100"}
	w.place("n1")
	w.step()
	if len(w.pods) != 0 || w.gang.Spec.PodSets[0].NodeSelector["gpu"] != "h100" {
		t.Fatalf("pods %s, pod set %+v", w.podNames(), w.gang.Spec.PodSets[0])
	}
}

// While pods run, a changed template must not change what the scheduler
// believes the running pods use.
func TestShapeIsFrozenWhilePodsRun(t *testing.T) {
	w := started(t, newJob(0, 1), "n1")
	spec := w.job.Spec.PyTorchReplicaSpecs[worker]
	spec.Template.Spec.NodeSelector = map[string]string{"gpu": "h100"}
	spec.Replicas = ptr.To[int32](2)
	w.settle()
	if set := w.gang.Spec.PodSets[0]; set.Count != 2 || set.NodeSelector != nil {
		t.Errorf("pod set %+v", set)
	}
}

func TestElasticStartsWithItsMinimum(t *testing.T) {
	w := newWorld(t, newJob(0, 3, func(job *kubeflowv1.PyTorchJob) {
		job.Spec.ElasticPolicy = &kubeflowv1.ElasticPolicy{MinReplicas: ptr.To[int32](2), MaxReplicas: ptr.To[int32](4)}
	}))
	w.settle()
	if got := w.gang.Spec.PodSets[0].MinCount; got == nil || *got != 2 {
		t.Fatalf("minCount %v, want 2", got)
	}
	w.place("n1")
	w.gang.Status.Placement[0].Slots = []slipwayv1.Slot{{Node: "n1", Count: 2}}
	w.settle()
	if w.podNames() != "j-worker-0 j-worker-1" {
		t.Fatalf("pods %s", w.podNames())
	}
	w.runAll()
	w.settle()
	if w.last() != "Running" {
		t.Errorf("%s", w.last())
	}
	w.exit("j-worker-1", 0)
	w.settle()
	if w.last() != "Succeeded" {
		t.Errorf("%s when one elastic worker succeeded", w.last())
	}
}

func TestElasticGoesOnWithTheRanksThatItHas(t *testing.T) {
	w := started(t, newJob(0, 3, func(job *kubeflowv1.PyTorchJob) {
		job.Spec.ElasticPolicy = &kubeflowv1.ElasticPolicy{MinReplicas: ptr.To[int32](1), MaxReplicas: ptr.To[int32](3)}
	}), "n1")
	for _, c := range []struct {
		slots []slipwayv1.Slot
		pods  string
	}{
		{[]slipwayv1.Slot{{Node: "n1", Count: 1}}, "j-worker-0"},
		{[]slipwayv1.Slot{{Node: "n1", Count: 3}}, "j-worker-0 j-worker-1 j-worker-2"},
		{[]slipwayv1.Slot{{Node: "n1", Count: 1}, {Count: 1}, {Node: "n1", Count: 1}}, "j-worker-0 j-worker-2"},
	} {
		w.gang.Status.Placement[0].Slots = c.slots
		w.settle()
		w.bury()
		w.settle()
		w.runAll()
		w.settle()
		if w.podNames() != c.pods || w.last() != "Running" {
			t.Errorf("with %v: %s, pods %s, want Running, %s", c.slots, w.last(), w.podNames(), c.pods)
		}
	}
}

func TestMetricsThatNothingScalesByAreToldOf(t *testing.T) {
	metrics := func(job *kubeflowv1.PyTorchJob) {
		job.Spec.ElasticPolicy = &kubeflowv1.ElasticPolicy{Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType}}}
	}
	if w := started(t, newJob(0, 2, metrics), "n1"); w.sent("NotFollowed") != 1 || w.last() != "Running" {
		t.Errorf("%s, events %v", w.last(), w.events)
	}
	if w := started(t, newJob(0, 2), "n1"); w.sent("NotFollowed") != 0 {
		t.Errorf("events %v", w.events)
	}
}

func TestBlocked(t *testing.T) {
	w := newWorld(t, newJob(0, 2))
	w.blocked.Ranks["j-worker-1"] = "Pod j-worker-1 is in the way and belongs to nobody; delete it or give the job another name"
	w.unwatched = true
	w.settle()
	if w.gang != nil || w.wake != blockedDelay || w.sent("Blocked") != 1 {
		t.Fatalf("gang %v, wake %v, events %v", w.gang, w.wake, w.events)
	}
	if m := w.condition(kubeflowv1.JobCreated).Message; !strings.Contains(m, "Pod j-worker-1 is in the way") {
		t.Errorf("Created says %q", m)
	}
	w.unwatched = false
	if w.settle(); w.wake != 0 {
		t.Errorf("asks again after %v for what it is told of", w.wake)
	}
	w.blocked = newBlocked()
	w.settle()
	w.place("n1")
	w.settle()
	w.runAll()
	w.settle()
	w.blocked.Ranks["j-worker-1"] = "in the way"
	delete(w.pods, "j-worker-1")
	w.settle()
	if w.podNames() != "j-worker-0" || w.gang == nil {
		t.Errorf("pods %s, gang %v: a running job must keep what it has", w.podNames(), w.gang != nil)
	}
}

func TestNodesUnderSuspicion(t *testing.T) {
	w := started(t, newJob(0, 3), "n1", "n2", "n3")
	w.place("n1", "n4", "n3")
	w.pods["j-worker-2"].DeletionTimestamp = ptr.To(metav1.NewTime(w.now.Add(-reapSlack)))
	got := suspects(w.observe())
	if !got.HasAll("n2", "n3") || len(got) != 2 {
		t.Errorf("suspects %v, want n2 and n3", got)
	}
}

func TestUnreachable(t *testing.T) {
	ready := func(s corev1.ConditionStatus) *corev1.Node {
		return &corev1.Node{Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: s}}}}
	}
	tainted := ready(corev1.ConditionTrue)
	tainted.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeOutOfService}}
	for name, tt := range map[string]struct {
		node *corev1.Node
		want bool
	}{
		"ready":          {ready(corev1.ConditionTrue), false},
		"not ready":      {ready(corev1.ConditionFalse), false},
		"unknown":        {ready(corev1.ConditionUnknown), true},
		"out of service": {tainted, true},
	} {
		if got := unreachable(tt.node); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
