// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// reportNode on the first node of a cluster.
func reportNode(t *testing.T, s *snapshot.Snapshot) string {
	t.Helper()
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(s.Nodes[0])
	if err != nil {
		t.Fatal(err)
	}
	f := &Facts{Now: noon, Cluster: s, Decided: decide(s), Subject: Subject{Kind: corev1.SchemeGroupVersion.WithKind("Node"), Object: &unstructured.Unstructured{Object: fields}}}
	var out bytes.Buffer
	if err := f.Report(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestNodeOfClaims: devices are counted as the scheduler does, be they claimed by name.
func TestNodeOfClaims(t *testing.T) {
	claim := &resourcev1.ResourceClaim{ObjectMeta: metav1.ObjectMeta{Name: "mine", Namespace: "team", UID: "mine"}}
	claim.Spec.Devices.Requests = []resourcev1.DeviceRequest{{Name: "gpu", Exactly: &resourcev1.ExactDeviceRequest{DeviceClassName: "gpu", Count: 2}}}
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "team", UID: "p"}, Spec: corev1.PodSpec{NodeName: "n1", SchedulerName: "other",
		ResourceClaims: []corev1.PodResourceClaim{{Name: "gpu", ResourceClaimName: &claim.Name}}}}
	s := &snapshot.Snapshot{Taken: noon, Nodes: []*corev1.Node{node("n1")}, Pods: []*corev1.Pod{p}}
	s.ResourceClaims = []*resourcev1.ResourceClaim{claim}
	if got := reportNode(t, s); !strings.Contains(got, "pods that others place: 1 pod, 2 gpu") {
		t.Error(got)
	}
}

// TestNode: who is on it, what is free, and for whom it is kept.
func TestNode(t *testing.T) {
	n := node("n1")
	n.Status.Allocatable[corev1.ResourceCPU] = resource.MustParse("64")
	half := limited(on(gang("half", 1, 90), "n1"), 3*time.Hour)
	half.Spec.PodSets[0].Requests = gpus(4)
	pod := func(name, scheduler string, cpu string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "team", UID: types.UID(name)},
			Spec: corev1.PodSpec{NodeName: "n1", SchedulerName: scheduler, Containers: []corev1.Container{{Name: "main",
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}}}}},
			Status: corev1.PodStatus{Phase: corev1.PodRunning}}
	}
	s := &snapshot.Snapshot{Taken: noon, Nodes: []*corev1.Node{n}, Gangs: []*slipwayv1.Gang{half, gang("whole", 1, 20)},
		Pods: []*corev1.Pod{pod("mine", slipwayv1.SchedulerName, "2"), pod("a", "other", "1"), pod("b", "other", "500m")}}
	expect(t, reportNode(t, s),
		"node/n1",
		"  is well, and takes whoever fits",
		"  has free: 4 of 8 nvidia.com/gpu, 60.5 of 64 cpu, 106 of 110 pods",
		"  there are:",
		"    team/half: 1 pod, 4 nvidia.com/gpu, until 2026-01-02T14:00:00Z (in 120m)",
		"    team/pod/mine: 1 pod",
		"    pods that others place: 2 pods",
		"  is kept for:",
		"    team/whole: 1 pod, 8 nvidia.com/gpu, from 2026-01-02T14:00:00Z (in 120m) on",
		"    until then others start there only if they delay none of these",
	)
}

// TestNodeOfHeir: who waits for pods to end has the node next.
func TestNodeOfHeir(t *testing.T) {
	heir := told(gang("heir", 1, 20), metav1.ConditionFalse, "MakingRoom", "1 gang gave way to it; it starts when their pods have ended")
	heir.Spec.Priority = 5
	gone := told(gang("gone", 1, 90), metav1.ConditionFalse, "Evicted", "gave its places to team/heir, which has priority 5")
	left := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "gone-0", Namespace: "team", UID: "p", Labels: map[string]string{slipwayv1.LabelGang: "gone"},
		DeletionTimestamp: new(metav1.NewTime(noon.Add(30 * time.Second))), DeletionGracePeriodSeconds: new(int64(30))},
		Spec: corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{Name: "main", Resources: corev1.ResourceRequirements{Limits: gpus(8)}}}}}
	s := &snapshot.Snapshot{Taken: noon, Nodes: []*corev1.Node{node("n1")}, Gangs: []*slipwayv1.Gang{heir, gone}, Pods: []*corev1.Pod{left}}
	expect(t, reportNode(t, s),
		"node/n1",
		"  is well, and takes whoever fits",
		"  has free: 0 of 8 nvidia.com/gpu, 109 of 110 pods",
		"  is kept for:",
		"    team/heir: 1 pod, 8 nvidia.com/gpu, as soon as the pods that give way to it have ended",
		"      pod team/gone-0 on n1 was told to end, and has time for that until 2026-01-02T12:00:30Z (in 30s)",
		"    until then others start there only if they delay none of these",
	)
}

func TestBarriers(t *testing.T) {
	condition := func(of corev1.NodeConditionType, is corev1.ConditionStatus, reason, message string) corev1.NodeCondition {
		return corev1.NodeCondition{Type: of, Status: is, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(noon)}
	}
	unready := corev1.Taint{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoExecute}
	for what, c := range map[string]struct {
		change func(*corev1.Node)
		want   []string
	}{
		"nothing":            {func(*corev1.Node) {}, nil},
		"never said a thing": {func(n *corev1.Node) { n.Status.Conditions = nil }, []string{"takes nobody: its kubelet has not said yet that it is ready"}},
		"not ready": {func(n *corev1.Node) {
			n.Status.Conditions[0] = condition(corev1.NodeReady, corev1.ConditionFalse, "KubeletNotReady", "no network plugin")
			n.Spec.Taints = []corev1.Taint{unready}
		}, []string{"takes nobody: it is not ready since 2026-01-02T12:00:00Z (KubeletNotReady: no network plugin)"}},
		"silent": {func(n *corev1.Node) {
			n.Status.Conditions[0] = condition(corev1.NodeReady, corev1.ConditionUnknown, "", "")
		}, []string{"takes nobody: node n1 does not answer since 2026-01-02T12:00:00Z; if it will not come back: slipway kubectl delete node n1"}},
		"unhealthy and cordoned": {func(n *corev1.Node) {
			n.Spec.Unschedulable = true
			n.Status.Conditions = append(n.Status.Conditions, condition(slipwayv1.NodeUnhealthy, corev1.ConditionTrue, "XID79", ""))
		}, []string{"takes nobody: it is marked as unhealthy since 2026-01-02T12:00:00Z (XID79); gangs on it get other places",
			"takes nobody: it is cordoned; to let it take pods again: slipway kubectl uncordon n1"}},
		"tainted": {func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "gpu", Value: "h100", Effect: corev1.TaintEffectNoSchedule}, {Key: "soft", Effect: corev1.TaintEffectPreferNoSchedule}, unready}
		}, []string{"takes only who tolerates its taint gpu=h100:NoSchedule", "takes only who tolerates its taint node.kubernetes.io/not-ready:NoExecute"}},
	} {
		n := node("n1")
		c.change(n)
		if diff := cmp.Diff(c.want, barriers(n)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}
