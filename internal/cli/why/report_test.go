// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

const gpu = corev1.ResourceName("nvidia.com/gpu")

func gpus(n int64) corev1.ResourceList {
	return corev1.ResourceList{gpu: *resource.NewQuantity(n, resource.DecimalSI)}
}

func node(name string) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.NodeStatus{
		Allocatable: gpus(8), Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}}
	n.Status.Allocatable[corev1.ResourcePods] = resource.MustParse("110")
	return n
}

// gang of so many pods of 8 GPUs, made so many minutes before noon.
func gang(name string, pods int32, minutes int) *slipwayv1.Gang {
	return &slipwayv1.Gang{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name, UID: types.UID(name), Generation: 1,
			CreationTimestamp: metav1.NewTime(noon.Add(-time.Duration(minutes) * time.Minute))},
		Spec: slipwayv1.GangSpec{PodSets: []slipwayv1.PodSet{{Name: "worker", Count: pods, Requests: gpus(8)}}},
	}
}

// on gives a gang its places, an hour before noon.
func on(g *slipwayv1.Gang, nodes ...string) *slipwayv1.Gang {
	set := slipwayv1.PodSetPlacement{Name: "worker"}
	for _, n := range nodes {
		set.Slots = append(set.Slots, slipwayv1.Slot{Node: n, Count: 1})
	}
	g.Status.Placement = []slipwayv1.PodSetPlacement{set}
	return told(g, metav1.ConditionTrue, "Placed", "")
}

func told(g *slipwayv1.Gang, placed metav1.ConditionStatus, reason, message string) *slipwayv1.Gang {
	g.Status.Conditions = []metav1.Condition{{Type: slipwayv1.ConditionPlaced, Status: placed, Reason: reason, Message: message,
		LastTransitionTime: metav1.NewTime(noon.Add(-time.Hour))}}
	return g
}

// report on one of the gangs of a cluster of two nodes.
func report(t *testing.T, about string, gangs ...*slipwayv1.Gang) string {
	t.Helper()
	return reportOn(t, about, &snapshot.Snapshot{Taken: noon, Nodes: []*corev1.Node{node("n1"), node("n2")}, Gangs: gangs})
}

func reportOn(t *testing.T, about string, s *snapshot.Snapshot) string {
	t.Helper()
	f := &Facts{Now: noon, Cluster: s, Decided: decide(s)}
	for _, g := range s.Gangs {
		if g.Name == about {
			f.Gangs = []slipwayv1.Gang{*g}
		}
	}
	return words(t, f, about)
}

func words(t *testing.T, f *Facts, about string) string {
	t.Helper()
	f.Subject = Subject{Kind: schema.GroupVersionKind{Group: "slipway.dev", Version: "v1alpha1", Kind: "Gang"}, Object: &unstructured.Unstructured{Object: map[string]any{}}}
	f.Subject.Object.SetName(about)
	var out bytes.Buffer
	if err := f.Report(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func limited(g *slipwayv1.Gang, limit time.Duration) *slipwayv1.Gang {
	g.Spec.MaxRunTime = &metav1.Duration{Duration: limit}
	return g
}

func expect(t *testing.T, got string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(strings.Join(want, "\n")+"\n", got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWaits(t *testing.T) {
	runs := limited(on(gang("runs", 2, 90), "n1", "n2"), 3*time.Hour)
	expect(t, report(t, "second", runs, gang("first", 1, 20), told(gang("second", 2, 10), metav1.ConditionFalse, "Evicted", "gave its places to team/runs, which has priority 7")),
		"gang/second",
		"  gang second has waited for 60m (priority 0)",
		"    needs 2 pods of 8 nvidia.com/gpu each at once; none fits now",
		"      2 nodes have too little nvidia.com/gpu (none free)",
		"    was told last: gave its places to team/runs, which has priority 7 (Evicted)",
		"    in the queue: 2 of 2 of no project, behind first",
		"    nobody knows when it starts: first has no limit on how long it runs (slipway.dev/max-run-time)",
	)
	expect(t, report(t, "first", runs, gang("first", 1, 20)),
		"gang/first",
		"  gang first waits (priority 0)",
		"    needs 1 pod of 8 nvidia.com/gpu; none fits now",
		"      2 nodes have too little nvidia.com/gpu (none free)",
		"    the scheduler has not written that yet; if that stays so see: slipway status",
		"    in the queue: the first of 1 of no project",
		"    expected to start by 2026-01-02T14:00:00Z (in 120m)",
		"      when team/runs has ended (90 % sure)",
	)
}

func TestRuns(t *testing.T) {
	runs := limited(on(gang("runs", 2, 90), "n1", "n2"), 90*time.Minute)
	runs.Spec.User = "ada"
	runs.Spec.MinRunTime = &metav1.Duration{Duration: 61 * time.Minute}
	expect(t, report(t, "runs", runs),
		"gang/runs",
		"  gang runs has had its places for 60m (priority 0, of ada)",
		"    on n1 (1 pod), n2 (1 pod)",
		"    ends by 2026-01-02T12:30:00Z (in 30m), its limit is 1h30m",
		"    gives way to nobody before 2026-01-02T12:01:00Z (in 60s) (slipway.dev/min-run-time)",
		"    would give way to gangs of no project with a priority above 0, and to projects that are guaranteed what it uses",
	)
}

func TestNever(t *testing.T) {
	got := report(t, "big", told(gang("big", 3, 1), metav1.ConditionFalse, "NeverFits", "needs 3"))
	if !strings.Contains(got, "gang big can never run as it is (priority 0)\n") || !strings.Contains(got, "\n    to fit, ask for at most 2 pods, or add 1 node like n1\n") {
		t.Errorf("says %s", got)
	}
}

func TestGuests(t *testing.T) {
	f := &Facts{Now: noon, Denied: &snapshot.ForbiddenError{Resource: "pods", Err: apierrors.NewForbidden(corev1.Resource("pods"), "", errors.New("no"))}, Gangs: []slipwayv1.Gang{
		*told(gang("big", 3, 1), metav1.ConditionFalse, "NeverFits", "needs 3 nodes; to fit, ask for 2"), *gang("new", 1, 0), *on(gang("runs", 1, 60), "n1")}}
	expect(t, words(t, f, "all"),
		"gang/all",
		"  gang big has waited for 60m (priority 0)",
		"    needs 3 nodes; to fit, ask for 2",
		"  gang new waits (priority 0)",
		"    the scheduler has not decided yet; if that stays so see: slipway status",
		"  gang runs has had its places for 60m (priority 0)",
		"    on n1 (1 pod)",
		"  this is what the conditions say; to be told the place in the queue and the quota you must see the whole cluster: you may not list pods of the whole cluster; ask for the ClusterRole slipway:observe",
	)
}

// TestOverLimit: a limit that was made lower than what is used is told with its use.
func TestOverLimit(t *testing.T) {
	q := slipwayv1.Quota{Resource: gpu, Limit: new(resource.MustParse("2"))}
	p := &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: slipwayv1.ProjectSpec{Quota: []slipwayv1.Quota{q}}}
	o := &outline{}
	for _, used := range []string{"2", "3"} {
		quotaLines(o, p, slipwayv1.ProjectStatus{Usage: []slipwayv1.Usage{{Resource: gpu, Used: resource.MustParse(used)}}})
	}
	expect(t, strings.Join(o.lines, "\n")+"\n",
		"quota: project p is guaranteed 0 nvidia.com/gpu, may use 2, uses 2",
		"quota: project p is guaranteed 0 nvidia.com/gpu, may use 2, uses 3; what runs above the limit runs on, and nothing more starts")
}

// TestNoRight: a project that is guaranteed something is told of what it is guaranteed nothing.
func TestNoRight(t *testing.T) {
	quota := func(name corev1.ResourceName, kind, guaranteed string) slipwayv1.Quota {
		return slipwayv1.Quota{Resource: name, Kind: kind, Guaranteed: resource.MustParse(guaranteed)}
	}
	p := &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: slipwayv1.ProjectSpec{
		Quota: []slipwayv1.Quota{quota(gpu, "", "2"), quota("cpu", "", "0"), quota(gpu, "new", "0")}}}
	o := &outline{}
	quotaLines(o, p, slipwayv1.ProjectStatus{})
	expect(t, strings.Join(o.lines, "\n")+"\n",
		"quota: project p is guaranteed 2 nvidia.com/gpu, no limit, uses nothing",
		"quota: project p is guaranteed 0 cpu, no limit, uses nothing; takes nothing back for gangs that ask for it",
		"quota: project p is guaranteed 0 nvidia.com/gpu on new, no limit, uses nothing; takes nothing back on such nodes")
}

// TestTitle leaves to the gangs below it what they say.
func TestTitle(t *testing.T) {
	f := &Facts{Gangs: []slipwayv1.Gang{*told(gang("g", 1, 1), metav1.ConditionFalse, "NodeLost", "lost n2: none fits")}}
	for reason, want := range map[string]string{
		"lost n2: none fits":                          "",
		"lost n2: none fits; node n2 does not answer": "node n2 does not answer",
		"gave way to a; it waits: lost n2: none fits": "gave way to a",
		"another": "another",
	} {
		if got := f.beyondGangs(reason); got != want {
			t.Errorf("of %q it says %q, want %q", reason, got, want)
		}
	}
}

// TestUnplanned: whoever has no promise is told what it really waits for.
func TestUnplanned(t *testing.T) {
	within := func(project string, g *slipwayv1.Gang) *slipwayv1.Gang {
		g.Spec.Project = project
		return g
	}
	project := func(name, parent string, limit string) *slipwayv1.Project {
		q := slipwayv1.Quota{Resource: gpu}
		if limit != "" {
			q.Limit = new(resource.MustParse(limit))
		}
		return &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: name, Generation: 1}, Spec: slipwayv1.ProjectSpec{Parent: parent, Quota: []slipwayv1.Quota{q}}}
	}
	cordoned := node("n1")
	cordoned.Spec.Unschedulable = true
	two := []*corev1.Node{node("n1"), node("n2")}
	lab, speech, vision := project("lab", "", "8"), project("speech", "lab", ""), project("vision", "", "")
	foreign := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "foreign", Namespace: "team", UID: "f"}, Spec: corev1.PodSpec{NodeName: "n1", SchedulerName: "other",
		Containers: []corev1.Container{{Name: "main", Resources: corev1.ResourceRequirements{Requests: gpus(1)}}}}}
	for what, c := range map[string]struct {
		cluster snapshot.Snapshot
		want    string
	}{
		"the limit of a project above": {snapshot.Snapshot{Nodes: two, Projects: []*slipwayv1.Project{lab, speech, vision},
			Gangs: []*slipwayv1.Gang{within("speech", on(gang("runs", 1, 90), "n1")), within("speech", gang("asks", 1, 5))}},
			"nobody knows when it starts: runs has no limit on how long it runs (slipway.dev/max-run-time); with more quota it may start sooner: slipway kubectl edit project lab"},
		"no such project": {snapshot.Snapshot{Nodes: two, Gangs: []*slipwayv1.Gang{within("nosuch", gang("asks", 1, 5))}}, ""},
		"no node takes it": {snapshot.Snapshot{Nodes: []*corev1.Node{cordoned}, Gangs: []*slipwayv1.Gang{gang("asks", 1, 5)}},
			"does not start before there is a node that takes it; of one node: slipway why node/NAME"},
		"others' pods": {snapshot.Snapshot{Nodes: two[:1], Pods: []*corev1.Pod{foreign}, Gangs: []*slipwayv1.Gang{gang("asks", 1, 5)}},
			"nobody knows when it starts: of what has the room it is not known when it ends"},
	} {
		c.cluster.Taken = noon
		got := reportOn(t, "asks", &c.cluster)
		if says := strings.Contains(got, "nobody knows") || strings.Contains(got, "does not start"); says != (c.want != "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: it says\n%swithout %q", what, got, c.want)
		}
	}
}

// TestHowLongItWaits, and how long ago it was made if that was well before it began to.
func TestHowLongItWaits(t *testing.T) {
	for ago, want := range map[time.Duration]string{
		time.Hour:                  "has waited for 60m",
		time.Hour + 30*time.Second: "has waited for 60m",
		2 * time.Hour:              "has waited for 60m of the 120m since it was made",
	} {
		g := told(gang("a", 1, 0), metav1.ConditionFalse, "InsufficientResources", "none fits now")
		g.CreationTimestamp = metav1.NewTime(noon.Add(-ago))
		if got := (&Facts{Now: noon}).state(g, placement.Waiting); got != want {
			t.Errorf("made %v ago, it %q, want %q", ago, got, want)
		}
	}
}

// TestEventsAreToldOnce: what is told again with more to it, of the job as of its gang, and what
// kubelets tell of each step, is not repeated.
func TestEventsAreToldOnce(t *testing.T) {
	event := func(kind, kindOf, reason, message string) corev1.Event {
		return corev1.Event{InvolvedObject: corev1.ObjectReference{Kind: kind, Name: "a"}, Type: kindOf, Reason: reason, Message: message}
	}
	told := told(gang("a", 1, 5), metav1.ConditionFalse, "NeverFits", "needs 9; to fit, ask for 8")
	f := &Facts{Subject: Subject{Kind: schema.GroupVersionKind{Kind: "PyTorchJob"}}, Gangs: []slipwayv1.Gang{*told}, Events: []corev1.Event{
		event("PyTorchJob", "Normal", "NeverFits", "needs 9"),
		event("PyTorchJob", "Normal", "MakingRoom", "needs 9"),
		event("PyTorchJob", "Normal", "QuotaExceeded", "uses 8"),
		event("Gang", "Normal", "QuotaExceeded", "uses 8"),
		event("PyTorchJob", "Normal", "QuotaExceeded", "uses 8; expected to start by noon"),
		event("PyTorchJob", "Normal", "Evicted", "uses 8"),
		event("Node", "Normal", "Starting", ""),
		event("Node", "Warning", "SystemOOM", "killed 1"),
		event("Node", "Warning", "SystemOOM", "killed"),
		event("Node", "Warning", "FreeDiskSpaceFailed", "no space"),
		event("Node", "Warning", "ImageGCFailed", "no space"),
	}}
	var got []string
	for _, e := range f.distinct() {
		got = append(got, e.InvolvedObject.Kind+" "+e.Reason+": "+e.Message)
	}
	want := []string{"PyTorchJob MakingRoom: needs 9", "PyTorchJob QuotaExceeded: uses 8; expected to start by noon", "PyTorchJob Evicted: uses 8", "Node SystemOOM: killed", "Node ImageGCFailed: no space"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestGivesWayForWhatItHas: who has none of what its project borrows gives way to nobody for that.
func TestGivesWayForWhatItHas(t *testing.T) {
	p := &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: "p", Generation: 1}, Spec: slipwayv1.ProjectSpec{Quota: []slipwayv1.Quota{{Resource: gpu}}}}
	plain := on(gang("plain", 1, 90), "n1")
	plain.Spec.PodSets[0].Requests = nil
	both := []*slipwayv1.Gang{on(gang("costly", 1, 90), "n2"), plain, gang("large", 3, 5)}
	for _, g := range both {
		g.Spec.Project = "p"
	}
	s := &snapshot.Snapshot{Taken: noon, Nodes: []*corev1.Node{node("n1"), node("n2")}, Projects: []*slipwayv1.Project{p}, Gangs: both}
	for name, want := range map[string]bool{"costly": true, "plain": false} {
		if got := reportOn(t, name, s); strings.Contains(got, "guaranteed nvidia.com/gpu: project p borrows 8") != want {
			t.Errorf("of %s it says\n%s", name, got)
		}
	}
	o := &outline{}
	f := &Facts{Now: noon, Cluster: s, Decided: decide(s)}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(p)
	if err != nil {
		t.Fatal(err)
	}
	f.Subject.Object = &unstructured.Unstructured{Object: fields}
	f.project(o)
	if last := o.lines[len(o.lines)-1]; last != "waiting without a turn, since room alone does not let them start: 1; see: slipway queue" {
		t.Errorf("of the one that never fits it says %q", last)
	}
}
