// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestGangName(t *testing.T) {
	if got := GangName("PyTorchJob", "mnist"); got != "pytorchjob-mnist" {
		t.Errorf("got %s", got)
	}
	long := strings.Repeat("a", 53)
	first, second := GangName("PyTorchJob", long+"b"), GangName("PyTorchJob", long+"c")
	if len(first) != 63 || first == second {
		t.Errorf("%s and %s: want 63 characters that differ", first, second)
	}
}

func TestPodLevelRequests(t *testing.T) {
	cpu := func(s string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(s)}
	}
	for name, tt := range map[string]struct{ spec, want string }{
		"limit of the pod":              {"", "4"},
		"containers come before limits": {"3", "3"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := corev1.PodSpec{Containers: []corev1.Container{{}}, Resources: &corev1.ResourceRequirements{Limits: cpu("4")}}
			if tt.spec != "" {
				spec.Containers[0].Resources.Requests = cpu(tt.spec)
			}
			if diff := cmp.Diff(cpu(tt.want), Requests(&spec)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReachable(t *testing.T) {
	in := func(key string, values ...string) corev1.NodeSelectorRequirement {
		return corev1.NodeSelectorRequirement{Key: key, Operator: corev1.NodeSelectorOpIn, Values: values}
	}
	selector := func(a *corev1.Affinity) *corev1.NodeSelector {
		return a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	}
	term := func(r ...corev1.NodeSelectorRequirement) corev1.NodeSelectorTerm {
		return corev1.NodeSelectorTerm{MatchExpressions: r}
	}
	template := &corev1.PodTemplateSpec{Spec: corev1.PodSpec{Volumes: []corev1.Volume{
		{VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "local"}}},
		{VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "anywhere"}}},
		{VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
	}}}
	volumes := map[string]*corev1.NodeSelector{"local": selector(nodeTerms(in("host", "a"), in("host", "b")))}
	for name, tt := range map[string]struct {
		affinity *corev1.Affinity
		want     []corev1.NodeSelectorTerm
	}{
		"no affinity": {nil, []corev1.NodeSelectorTerm{term(in("host", "a")), term(in("host", "b"))}},
		"alternatives": {nodeTerms(in("zone", "x"), in("zone", "y")), []corev1.NodeSelectorTerm{
			term(in("zone", "x"), in("host", "a")), term(in("zone", "x"), in("host", "b")),
			term(in("zone", "y"), in("host", "a")), term(in("zone", "y"), in("host", "b"))}},
		"one that matches nothing": {&corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{}}},
		}}, []corev1.NodeSelectorTerm{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, selector(reachable(tt.affinity, template, volumes)).NodeSelectorTerms); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReachesEphemeralVolumes: those that live as long as their pod, too, but not what others
// mount.
func TestReachesEphemeralVolumes(t *testing.T) {
	on := func(node string) *corev1.NodeSelector {
		r := corev1.NodeSelectorRequirement{Key: "host", Operator: corev1.NodeSelectorOpIn, Values: []string{node}}
		return nodeTerms(r).NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	}
	template := &corev1.PodTemplateSpec{Spec: corev1.PodSpec{Volumes: []corev1.Volume{
		{Name: "scratch", VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}}}}}
	template.Name = "p"
	set := Of("w", 1, template, map[string]*corev1.NodeSelector{"p-scratch": on("a"), "others": on("b")})
	if set.Affinity == nil {
		t.Fatal("it may go anywhere")
	}
	if diff := cmp.Diff(on("a"), set.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution); diff != "" {
		t.Error(diff)
	}
}

// nodeTerms is an affinity with one term for each requirement.
func nodeTerms(requirements ...corev1.NodeSelectorRequirement) *corev1.Affinity {
	selector := &corev1.NodeSelector{}
	for _, r := range requirements {
		selector.NodeSelectorTerms = append(selector.NodeSelectorTerms,
			corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{r}})
	}
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: selector}}
}

func TestDefaultPriority(t *testing.T) {
	for name, tt := range map[string]struct {
		classes []schedulingv1.PriorityClass
		want    int32
	}{
		"no class":   {nil, 0},
		"no default": {[]schedulingv1.PriorityClass{{Value: 5}}, 0},
		"a default":  {[]schedulingv1.PriorityClass{{Value: 5}, {Value: 7, GlobalDefault: true}}, 7},
		"several":    {[]schedulingv1.PriorityClass{{Value: 7, GlobalDefault: true}, {Value: -3, GlobalDefault: true}}, -3},
	} {
		if got := defaultPriority(tt.classes); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}
