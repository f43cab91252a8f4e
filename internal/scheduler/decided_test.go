// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

func taken(objects ...client.Object) *snapshot.Snapshot {
	s := &snapshot.Snapshot{Taken: noon}
	for _, o := range objects {
		s.Add(o)
	}
	return s
}

// again is the snapshot after it was written down and read.
func again(t *testing.T, s *snapshot.Snapshot) *snapshot.Snapshot {
	t.Helper()
	var file bytes.Buffer
	if err := s.Write(&file); err != nil {
		t.Fatal(err)
	}
	read, err := snapshot.Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func answerTo(t *testing.T, d *Decided, gang string) Answer {
	t.Helper()
	a, known := d.Answer(types.NamespacedName{Namespace: "ns", Name: gang})
	if !known {
		t.Fatalf("gang %s has no answer", gang)
	}
	return a
}

// TestDecideAsTheLedgerDoes: the answers to a snapshot, and to one that was written down,
// are those of the live scheduler, word for word.
func TestDecideAsTheLedgerDoes(t *testing.T) {
	limited := newGang("limited", 4, 1)
	limited.Spec.MaxRunTime = &metav1.Duration{Duration: time.Hour}
	s := newServer(t, newNode("n1", 8, 4), newNode("n2", 8, 4), newPod("foreign", "n2", quantities(1, 1)), limited)
	s.settle()
	for _, g := range []*slipwayv1.Gang{newGang("fits", 3, 1), newGang("waits", 4, 1), newGang("never", 9, 1)} {
		s.set(g)
	}
	s.settle()
	s.ledger.plan()

	objects := []client.Object{newNode("n1", 8, 4), newNode("n2", 8, 4), newPod("foreign", "n2", quantities(1, 1))}
	for _, g := range s.gangs {
		objects = append(objects, g)
	}
	for name, snap := range map[string]*snapshot.Snapshot{"in memory": taken(objects...), "written down": again(t, taken(objects...))} {
		d := Decide(snap)
		for key, e := range s.ledger.gangs {
			got := answerTo(t, d, e.name.Name)
			if diff := cmp.Diff(*statusFor(&e.status, e.answer, noon), got.Status); diff != "" {
				t.Errorf("%s: status of %s (-live +decided):\n%s", name, key, diff)
			}
		}
		if got := answerTo(t, d, "waits"); got.State != placement.Waiting || !got.Start.Equal(noon.Add(time.Hour)) {
			t.Errorf("%s: it is %s and starts at %v; want it to start when the other one ends", name, got.State, got.Start)
		}
	}
}

func TestDecideSaysWhatCannotBeFollowed(t *testing.T) {
	g := newGang("a", 2, 1)
	g.Spec.PodSets[0].Requests["nvidia.com/gpu"] = quantities(-1, 0)[corev1.ResourceCPU]
	got := answerTo(t, Decide(taken(newNode("n1", 8, 4), g)), "a")
	if got.State != placement.Never || got.Reason.Code != reasonInvalid || got.Reason.Text == "" {
		t.Errorf("got %+v", got)
	}
}

func TestDecideKnowsProjects(t *testing.T) {
	project := &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: "lab", UID: "lab", Generation: 1}, Spec: slipwayv1.ProjectSpec{
		Quota: []slipwayv1.Quota{{Resource: "nvidia.com/gpu", Guaranteed: quantities(1, 0)[corev1.ResourceCPU]}}}}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ns", Labels: map[string]string{slipwayv1.LabelProject: "lab"}}}
	d := Decide(again(t, taken(newNode("n1", 8, 4), namespace, project, newGang("a", 2, 1))))
	if got := d.Project(types.NamespacedName{Namespace: "ns", Name: "a"}); got != "lab" {
		t.Errorf("charged to %q, want lab", got)
	}
	status, known := d.ProjectStatus("lab")
	if !known || len(status.Usage) != 1 || status.Usage[0].Used.Value() != 2 || status.Usage[0].Borrowed.Value() != 1 || status.Placed != 1 {
		t.Errorf("status is %+v", status)
	}
}

// TestTrimmedPodsTakeAsMuch: what is left of a pod says all that podOf asks for.
func TestTrimmedPodsTakeAsMuch(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	container := func(name string, cpu int64) corev1.Container {
		return corev1.Container{Name: name, Image: "i", Resources: corev1.ResourceRequirements{Requests: quantities(cpu, cpu)},
			Ports: []corev1.ContainerPort{{ContainerPort: 80}, {ContainerPort: 81, HostPort: int32(8000 + cpu), Protocol: corev1.ProtocolUDP, HostIP: "10.0.0.1"}}}
	}
	sidecar := container("sidecar", 3)
	sidecar.RestartPolicy = &always
	resized := newPod("resized", "n1", quantities(1, 1))
	resized.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", AllocatedResources: quantities(5, 1), Resources: &corev1.ResourceRequirements{Requests: quantities(7, 1)}}}
	full := newPod("full", "n1", nil)
	full.Labels = map[string]string{slipwayv1.LabelGang: "g", slipwayv1.LabelPodSet: "worker", slipwayv1.LabelRank: "3"}
	full.Spec.InitContainers = []corev1.Container{container("init", 9), sidecar}
	full.Spec.Containers = []corev1.Container{container("a", 1), container("b", 2)}
	full.Spec.Overhead = quantities(1, 0)
	whole := newPod("whole", "n1", quantities(1, 0))
	whole.Spec.Resources = &corev1.ResourceRequirements{Requests: quantities(6, 0)}
	leaving := newPod("leaving", "n1", quantities(1, 0))
	leaving.DeletionTimestamp, leaving.DeletionGracePeriodSeconds = &metav1.Time{Time: noon}, ptr.To[int64](30)
	for _, p := range []*corev1.Pod{resized, full, whole, leaving} {
		want, _ := podOf(p)
		got, takes := podOf(again(t, taken(p)).Pods[0])
		if diff := cmp.Diff(want, got); !takes || diff != "" {
			t.Errorf("%s takes %t (-whole +trimmed):\n%s", p.Name, takes, diff)
		}
	}
}

// TestTrimmedNodesAreTheSame likewise.
func TestTrimmedNodesAreTheSame(t *testing.T) {
	since := metav1.NewTime(noon)
	n := newNode("n1", 8, 4)
	n.Labels = map[string]string{"nvidia.com/gpu.product": "H100", "rack": "a"}
	n.Spec.Unschedulable = true
	n.Spec.Taints = []corev1.Taint{{Key: "k", Value: "v", Effect: corev1.TaintEffectNoExecute, TimeAdded: &since}}
	n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{Type: corev1.NodeMemoryPressure})
	gone := newNode("n2", 8, 4)
	gone.Status.Conditions[0].Status, gone.Status.Conditions[0].LastTransitionTime = corev1.ConditionUnknown, since
	for _, n := range []*corev1.Node{n, gone} {
		if diff := cmp.Diff(nodeOf(n), nodeOf(again(t, taken(n)).Nodes[0])); diff != "" {
			t.Errorf("%s (-whole +trimmed):\n%s", n.Name, diff)
		}
	}
}

// TestTrimmedPodsGoToTheSameNodes: pods that name the scheduler themselves are decided on
// by their claims and groups, which a written snapshot holds.
func TestTrimmedPodsGoToTheSameNodes(t *testing.T) {
	ours := func(name string) *corev1.Pod {
		p := newPod(name, "", quantities(1, 1))
		p.Spec.SchedulerName = slipwayv1.SchedulerName
		return p
	}
	mounts := ours("mounts")
	mounts.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
	grouped := ours("grouped")
	grouped.Labels = map[string]string{labelKueueGroup: "two"}
	grouped.Annotations = map[string]string{annotationKueueTotal: "2"}
	n2 := newNode("n2", 8, 4)
	n2.Labels = map[string]string{"disk": "here"}
	s := taken(newNode("n1", 8, 4), n2, mounts, grouped, ours("alone"),
		&corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "v", UID: "v"}, Spec: corev1.PersistentVolumeSpec{
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "disk", Operator: corev1.NodeSelectorOpIn, Values: []string{"here"}}}}}}}}},
		&corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "data", UID: "c"}, Spec: corev1.PersistentVolumeClaimSpec{VolumeName: "v"},
			Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound}})
	whole, written := Decide(s), Decide(again(t, s))
	for _, n := range []string{"n1", "n2"} {
		if diff := cmp.Diff(whole.Picture.Holding(n), written.Picture.Holding(n)); diff != "" {
			t.Errorf("on %s (-whole +written):\n%s", n, diff)
		}
	}
	if got := whole.Picture.Holding("n2").Gangs; !slices.Contains(got, "ns/pod/mounts") {
		t.Errorf("on n2, where the volume is, are %v", got)
	}
	if all := slices.Concat(whole.Picture.Holding("n1").Gangs, whole.Picture.Holding("n2").Gangs); len(all) != 2 {
		t.Errorf("placed %v; a group of two waits for its second pod", all)
	}
}
