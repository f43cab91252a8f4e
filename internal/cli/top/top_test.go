// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package top

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/scheduler"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// metrics is a metrics API.
type metrics struct {
	client.Reader
	items []unstructured.Unstructured
	err   error
}

func (m metrics) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*unstructured.UnstructuredList).Items = m.items
	return m.err
}

func TestMeasure(t *testing.T) {
	n1 := unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": "n1"}, "usage": map[string]any{"cpu": "1500m", "memory": "3Gi", "odd": "?"}}}
	usage, err := Measure(t.Context(), metrics{items: []unstructured.Unstructured{n1}})
	if err != nil || len(usage) != 1 || len(usage["n1"]) != 2 || usage["n1"]["cpu"] != resource.MustParse("1500m") {
		t.Errorf("measured %v, %v", usage, err)
	}
	for _, absent := range []error{&meta.NoKindMatchError{}, apierrors.NewServiceUnavailable("starting")} {
		if usage, err := Measure(t.Context(), metrics{err: absent}); usage != nil || err != nil {
			t.Errorf("without metrics: %v, %v", usage, err)
		}
	}
	if _, err := Measure(t.Context(), metrics{err: errors.New("broken")}); err == nil || !strings.Contains(err.Error(), "asking the metrics API: broken") {
		t.Errorf("got %v", err)
	}
}

func TestPrintsWhatIsMeasured(t *testing.T) {
	room := func(allocatable, taken string, used *resource.Quantity) Room {
		return Room{resource.MustParse(allocatable), resource.MustParse(taken), used}
	}
	var out bytes.Buffer
	err := PrintNodes(&out, []Node{
		{Name: "n1", State: []string{"Ready"}, Resources: map[corev1.ResourceName]Room{
			"cpu": room("64", "500m", ptr.To(resource.MustParse("1500m"))), "memory": room("1Ti", "0", ptr.To(resource.MustParse("3Gi"))), "nvidia.com/gpu": room("8", "6", nil)}},
		{Name: "n2", State: []string{"NotReady"}, Taints: []string{"a:NoSchedule"}, Resources: map[corev1.ResourceName]Room{"cpu": room("4", "0", nil)}},
	}, true)
	want := strings.Join([]string{
		"NAME  STATE     GANGS  NVIDIA.COM/GPU  CPU     MEMORY  CPU USED  MEMORY USED  TAINTS",
		"n1    Ready     0      6/8             0.5/64  0/1Ti   1.5       3Gi          -",
		"n2    NotReady  0      -               0/4     -       -         -            a:NoSchedule", ""}, "\n")
	if diff := cmp.Diff(want, out.String()); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestPrintsUsers(t *testing.T) {
	var out bytes.Buffer
	err := PrintProjects(&out, []Project{{Name: "lab", Depth: 1, Placed: 2, Quota: []Quota{{
		Resource: "cpu", Kind: "big", Guaranteed: resource.MustParse("1"), Used: ptr.To(resource.MustParse("3")), Borrowed: ptr.To(resource.MustParse("2")),
		Users: map[string]resource.Quantity{"bob": resource.MustParse("2500m"), "ada": resource.MustParse("500m")}}}}}, false)
	want := strings.Join([]string{
		"  lab       2  0  cpu on big  1  -  3    2",
		"    by ada        cpu on big  -  -  0.5  -",
		"    by bob        cpu on big  -  -  2.5  -", ""}, "\n")
	if diff := cmp.Diff(want, out.String()); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestOrders(t *testing.T) {
	gpus := func(n string) map[corev1.ResourceName]Room {
		return map[corev1.ResourceName]Room{"nvidia.com/gpu": {Taken: resource.MustParse(n)}, "cpu": {Taken: resource.MustParse("1")}}
	}
	nodes := []Node{{Name: "b", Resources: gpus("1")}, {Name: "c", Resources: gpus("10"), Gangs: []string{"x"}}, {Name: "a", Resources: gpus("1")}}
	for by, want := range map[string]string{"name": "a b c", "gpu": "c a b", "cpu": "a b c", "gangs": "c a b"} {
		SortNodes(nodes, by)
		var got []string
		for _, n := range nodes {
			got = append(got, n.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("by %s: %v, want %s", by, got, want)
		}
	}
}

func TestOrdersOfProjects(t *testing.T) {
	project := func(name, parent, guaranteed string) *slipwayv1.Project {
		return &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: name, Generation: 1}, Spec: slipwayv1.ProjectSpec{Parent: parent,
			Quota: []slipwayv1.Quota{{Resource: "cpu", Guaranteed: resource.MustParse(guaranteed)}}}}
	}
	gang := func(name, project, cpu string) *slipwayv1.Gang {
		return &slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns", Generation: 1}, Spec: slipwayv1.GangSpec{Project: project,
			PodSets: []slipwayv1.PodSet{{Name: "w", Count: 1, Requests: corev1.ResourceList{"cpu": resource.MustParse(cpu)}}}}}
	}
	s := &snapshot.Snapshot{
		Nodes: []*corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: "n"}, Status: corev1.NodeStatus{
			Allocatable: corev1.ResourceList{"cpu": resource.MustParse("8"), "pods": resource.MustParse("9")},
			Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}}},
		Projects: []*slipwayv1.Project{project("a", "", "4"), project("b", "", "2"), project("b1", "b", "2"), project("c", "gone", "0")},
		Gangs:    []*slipwayv1.Gang{gang("one", "a", "1"), gang("two", "b1", "2"), gang("big", "a", "9")},
	}
	for by, want := range map[string]string{"name": "a b -b1 c", "used": "b -b1 a c", "waiting": "a b -b1 c"} {
		var got []string
		for _, p := range Projects(s, scheduler.Decide(s), by, nil) {
			got = append(got, strings.Repeat("-", p.Depth)+p.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("by %s: %v, want %s", by, got, want)
		}
	}
	// Those whose parents form a cycle are shown, too, and once.
	var got []string
	circle := []*slipwayv1.Project{project("x", "z", "1"), project("y", "x", "1"), project("z", "y", "1"), project("own", "own", "1"), project("a", "", "1")}
	for _, p := range Tree(circle, "name", func(p *slipwayv1.Project) Project { return ProjectOf(p, &p.Status) }) {
		got = append(got, strings.Repeat("-", p.Depth)+p.Name)
	}
	if want := "a own x -y --z"; strings.Join(got, " ") != want {
		t.Errorf("of a cycle: %v, want %s", got, want)
	}
}
