// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// TestDecidedOfGroups: pods without a Gang have an answer, a project and a place in the
// queue as Gangs have.
func TestDecidedOfGroups(t *testing.T) {
	in := labelled(slipwayv1.LabelProject, "p")
	s := &snapshot.Snapshot{Taken: noon, Nodes: []*corev1.Node{newNode("n1", 8, 1)}, Pods: []*corev1.Pod{
		ourPod("runs", boundTo("n1"), in), ourPod("waits", in), ourPod("few-0", ofGroup("few", 2), in), newPod("theirs", "", quantities(1, 1))},
		Projects: []*slipwayv1.Project{limited("p", 8)}}
	d := Decide(s)
	type answer struct {
		Name, Project string
		State         placement.State
		Why           string
	}
	got := map[string]answer{}
	for _, p := range s.Pods {
		if name, is := d.Group(p); is {
			a, _ := d.Answer(name)
			got[p.Name] = answer{name.Name, d.Project(name), a.State, a.Reason.String()}
		}
	}
	want := map[string]answer{
		"runs":  {"pod/runs", "p", placement.Placed, ""},
		"waits": {"pod/waits", "p", placement.Waiting, "needs 1 pod of 1 cpu and 1 nvidia.com/gpu; none fits now: 1 node has too little nvidia.com/gpu (0 free of 1)"},
		"few-0": {"group/few", "p", placement.Waiting, "waits for the pods of its group: 1 of 2 are there"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]types.NamespacedName{{Namespace: "ns", Name: "pod/waits"}}, d.Queue("p")); diff != "" {
		t.Errorf("queue (-want +got):\n%s", diff)
	}
}
