// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"bytes"
	"testing"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// TestDeletion: what was deleted says what it holds, until when, and that its gang is going.
func TestDeletion(t *testing.T) {
	silent := node("n2")
	silent.Status.Conditions[0] = corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, LastTransitionTime: metav1.NewTime(noon.Add(-time.Hour))}
	ending, stuck := until(pod("runs", "n1"), noon.Add(20*time.Second)), until(pod("stuck", "n2"), noon.Add(-time.Minute))
	for _, p := range []*corev1.Pod{ending, stuck} {
		p.Labels[kubeflowv1.JobNameLabel] = "runs"
	}
	going := on(gang("runs", 2, 90), "n1", "n2")
	going.DeletionTimestamp = new(metav1.NewTime(noon))
	s := &snapshot.Snapshot{Taken: noon, Nodes: []*corev1.Node{node("n1"), silent}, Gangs: []*slipwayv1.Gang{going}, Pods: []*corev1.Pod{ending, stuck}}
	object := &unstructured.Unstructured{Object: map[string]any{}}
	object.SetName("runs")
	object.SetNamespace("team")
	object.SetDeletionTimestamp(new(metav1.NewTime(noon.Add(-10 * time.Second))))
	f := &Facts{Now: noon, Cluster: s, Decided: decide(s), Gangs: []slipwayv1.Gang{*going}, Pods: []corev1.Pod{*ending, *stuck},
		Subject: Subject{Kind: schema.GroupVersionKind{Group: "kubeflow.org", Version: "v1", Kind: "PyTorchJob"}, Object: object}}
	told := func() string {
		var out bytes.Buffer
		if err := f.Report(&out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	expect(t, told(),
		"pytorchjob/runs in namespace team: Terminating, 0 of 2 pods",
		"  was deleted 10s ago; until they have ended it holds 2 pods, 16 nvidia.com/gpu",
		"    pod runs-0 on n1 was told to end, and has time for that until 2026-01-02T12:00:20Z (in 20s)",
		"    pod stuck-0 on n2 was told to end, and has time for that until 2026-01-02T11:59:00Z (60s ago); node n2 does not answer since 2026-01-02T11:00:00Z; if it will not come back: slipway kubectl delete node n2",
		"  gang runs is being deleted, and asks for nothing any more",
	)
	f.Subject.Gone, f.Gangs, f.Pods = true, nil, f.Pods[:1]
	expect(t, told(),
		"pytorchjob/runs in namespace team: Terminating, 0 of 1 pod",
		"  was deleted, and is gone but for its pods; until they have ended it holds 1 pod, 8 nvidia.com/gpu",
		"    pod runs-0 on n1 was told to end, and has time for that until 2026-01-02T12:00:20Z (in 20s)",
	)
}
