// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

func TestGangOf(t *testing.T) {
	g := newGang("a", 2, 1)
	g.Spec.Priority = 7
	g.Spec.PodSets[0] = slipwayv1.PodSet{
		Name: "worker", Count: 2,
		Requests:     corev1.ResourceList{"cpu": resource.MustParse("1500m"), "memory": resource.MustParse("1Gi")},
		NodeSelector: map[string]string{"disk": "ssd"},
		Tolerations: []corev1.Toleration{
			{Key: "a", Operator: corev1.TolerationOpExists},
			{Key: "b", Value: "c", Effect: corev1.TaintEffectNoSchedule},
			{Key: "d", Operator: corev1.TolerationOpGt, Value: "3"},
		},
		HostPorts: []slipwayv1.HostPort{{Port: 80}},
		Topology:  &slipwayv1.Topology{Required: "rack"},
		Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: []string{"n1"}}},
			}}},
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{
				Weight:     5,
				Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "fast", Operator: corev1.NodeSelectorOpExists}}},
			}},
		}},
	}
	g.Status.Placement = []slipwayv1.PodSetPlacement{{Name: "worker", Slots: []slipwayv1.Slot{{Node: "n1", Count: 2}}}}
	got, err := gangOf(g)
	if err != nil {
		t.Fatal(err)
	}
	want := placement.Gang{
		Key: "ns/a", Kind: "ns/a", Priority: 7, Created: noon.Unix(), Waits: true,
		Sets: []placement.PodSet{{
			Name: "worker", Count: 2, Namespace: "ns", Topology: placement.Topology{Required: "rack"},
			Shape: placement.Shape{
				Requests:    placement.Resources{"cpu": 1500, "memory": 1 << 30},
				Selector:    map[string]string{"disk": "ssd"},
				Affinity:    []placement.Term{nil, {{Key: "metadata.name", Operator: placement.In, Values: []string{"n1"}, Field: true}}},
				Preferred:   []placement.Preference{{Weight: 5, Term: placement.Term{{Key: "fast", Operator: placement.Exists}}}},
				Tolerations: []placement.Toleration{{Key: "a", AnyValue: true}, {Key: "b", Value: "c", Effect: "NoSchedule"}},
				HostPorts:   []placement.HostPort{{Port: 80, Protocol: "TCP"}},
			},
		}},
		Placement: []placement.SetPlacement{{Set: "worker", Slots: []placement.Slot{{Node: "n1", Count: 2}}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRefused: each bad gang is answered with the field, the cause and the fix.
func TestRefused(t *testing.T) {
	required := func(r corev1.NodeSelectorRequirement) *corev1.Affinity {
		return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{r}}},
			},
		}}
	}
	for _, c := range []struct {
		name   string
		change func(*slipwayv1.PodSet)
		want   string
	}{
		{"negative", func(s *slipwayv1.PodSet) { s.Requests["cpu"] = resource.MustParse("-1") }, "request of cpu is negative"},
		{"operator", func(s *slipwayv1.PodSet) {
			s.Affinity = required(corev1.NodeSelectorRequirement{Key: "a", Operator: "Like"})
		}, `operator "Like" on "a" is unknown`},
		{"values", func(s *slipwayv1.PodSet) {
			s.Affinity = required(corev1.NodeSelectorRequirement{Key: "a", Operator: corev1.NodeSelectorOpIn})
		}, `operator In on "a" has no values`},
		{"integer", func(s *slipwayv1.PodSet) {
			s.Affinity = required(corev1.NodeSelectorRequirement{Key: "a", Operator: corev1.NodeSelectorOpGt, Values: []string{"x"}})
		}, `operator Gt on "a" compares with "x"`},
		{"pod affinity", func(s *slipwayv1.PodSet) {
			s.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{
				RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
					TopologyKey: "rack", LabelSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Like"}}},
				}},
			}}
		}, `pod affinity: "Like" is not a valid label selector operator`},
		{"too many terms", func(s *slipwayv1.PodSet) {
			s.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
				RequiredDuringSchedulingIgnoredDuringExecution: slices.Repeat([]corev1.PodAffinityTerm{{TopologyKey: "rack"}}, 65),
			}}
		}, "65 terms of affinity between pods and topology spread constraints; use at most 64"},
		{"spread", func(s *slipwayv1.PodSet) {
			s.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{TopologyKey: "rack", WhenUnsatisfiable: corev1.DoNotSchedule}}
		}, `topology spread constraint on "rack" with a skew of 0`},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGang("a", 2, 1)
			c.change(&g.Spec.PodSets[0])
			s := newServer(t, newNode("n1", 8, 4), g)
			s.settle()
			if got := s.tells("a"); got != "Stalled (InvalidSpec)" {
				t.Errorf("is %s", got)
			}
			message := s.gang("a").Status.Conditions[0].Message
			if want := `pod set "worker": `; !strings.HasPrefix(message, want) || !strings.Contains(message, c.want) {
				t.Errorf("says %q, want %q and %q", message, want, c.want)
			}
		})
	}
}

// What is preferred of peers: near them, apart from them, and few in each domain.
func TestFollowPreferredPeers(t *testing.T) {
	term := corev1.PodAffinityTerm{TopologyKey: "rack", LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "x"}}}
	s := &slipwayv1.PodSet{
		Affinity: &corev1.Affinity{
			PodAffinity: &corev1.PodAffinity{
				PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{Weight: 3, PodAffinityTerm: term}}},
			PodAntiAffinity: &corev1.PodAntiAffinity{
				PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{Weight: 5, PodAffinityTerm: term}}},
		},
		TopologySpreadConstraints: []corev1.TopologySpreadConstraint{
			{TopologyKey: "rack", MaxSkew: 1, WhenUnsatisfiable: corev1.ScheduleAnyway, LabelSelector: term.LabelSelector}},
	}
	var shape placement.Shape
	if err := followPeers("ns", s, &shape); err != nil {
		t.Fatal(err)
	}
	peers := placement.PeerTerm{Key: "rack", Peers: placement.Peers{
		Namespaces: []string{"ns"}, Labels: []placement.Requirement{{Key: "app", Operator: placement.In, Values: []string{"x"}}}}}
	want := placement.Shape{PreferredPeers: []placement.PeerPreference{
		{PeerTerm: peers, Weight: 3}, {PeerTerm: peers, Weight: -5}, {PeerTerm: peers, Weight: -100, Labelled: true}}}
	if diff := cmp.Diff(want, shape); diff != "" {
		t.Error(diff)
	}
}

func TestAmountOf(t *testing.T) {
	for _, c := range []struct {
		name     corev1.ResourceName
		quantity string
		want     int64
	}{
		{"cpu", "2", 2000},
		{"cpu", "0.5m", 1},
		{"cpu", "9E", maxCores * 1000},
		{"memory", "1Gi", 1 << 30},
		{"memory", "0.5", 1},
		{"nvidia.com/gpu", "8", 8},
	} {
		if got := amountOf(c.name, resource.MustParse(c.quantity)); got != c.want {
			t.Errorf("%s %s is %d, want %d", c.name, c.quantity, got, c.want)
		}
	}
}

func TestNodeSelectorWithoutTermsMatchesNothing(t *testing.T) {
	g := newGang("a", 1, 1)
	g.Spec.PodSets[0].Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{},
	}}
	s := newServer(t, newNode("n1", 8, 4), g)
	s.settle()
	if got := s.tells("a"); got != "Stalled (NeverFits)" {
		t.Errorf("is %s", got)
	}
}

func TestPodOf(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	pod := newPod("p", "n1", quantities(1, 1))
	pod.Labels = map[string]string{slipwayv1.LabelGang: "a", slipwayv1.LabelPodSet: "worker", slipwayv1.LabelRank: "3"}
	pod.Spec.Overhead = corev1.ResourceList{"cpu": resource.MustParse("250m")}
	pod.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 1}, {HostPort: 80, HostIP: "10.0.0.1"}}
	pod.Spec.InitContainers = []corev1.Container{
		{RestartPolicy: &always, Ports: []corev1.ContainerPort{{HostPort: 81, Protocol: corev1.ProtocolUDP}}},
		{Ports: []corev1.ContainerPort{{HostPort: 82}}, Resources: corev1.ResourceRequirements{Requests: quantities(3, 0)}},
	}
	got, takes := podOf(pod)
	want := placement.Pod{
		Key: "uid-p", Node: "n1", Gang: "ns/a", Set: "worker", Rank: 3, Namespace: "ns", Labels: pod.Labels,
		Requests:  placement.Resources{"cpu": 3250, "nvidia.com/gpu": 1},
		HostPorts: []placement.HostPort{{Port: 81, Protocol: "UDP"}, {Port: 80, Protocol: "TCP", IP: "10.0.0.1"}},
	}
	if diff := cmp.Diff(want, got); diff != "" || !takes {
		t.Errorf("takes %t (-want +got):\n%s", takes, diff)
	}
	pod.DeletionTimestamp = &metav1.Time{Time: noon}
	if _, takes := podOf(pod); !takes {
		t.Error("a pod on its way out takes nothing")
	}
	pod.Labels[slipwayv1.LabelRank] = "first"
	if got, _ := podOf(pod); got.Set != "" || got.Gang != "ns/a" {
		t.Errorf("a pod without a rank is of set %q of gang %q", got.Set, got.Gang)
	}
}

func TestRunsOfOneThing(t *testing.T) {
	for name, want := range map[string]string{
		"pytorchjob-tune-17": "ns/pytorchjob-tune", "job-eval-2026-01-02": "ns/job-eval", "pytorchjob-tune-x7f2p": "ns/pytorchjob-tune",
		"pytorchjob-tune": "ns/pytorchjob-tune", "tune-7": "ns/tune", "job-a-b-c-7": "ns/job-a-b-c",
		"job-x1": "ns/job-x1", "pytorchjob-y2": "ns/pytorchjob-y2", "job-a-1": "ns/job-a-1", "job-2026-01-02": "ns/job-2026-01-02", "7": "ns/7",
	} {
		if got := runOf("ns", name); got != want {
			t.Errorf("%s is a run of %q, want %q", name, got, want)
		}
	}
}

func TestNodesFoundUnhealthyAreLost(t *testing.T) {
	n := newNode("n1", 8, 8)
	n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{
		Type: slipwayv1.NodeUnhealthy, Status: corev1.ConditionTrue, Reason: "XidError", LastTransitionTime: metav1.NewTime(noon)})
	want := []placement.Taint{{Key: slipwayv1.NodeUnhealthy, Value: "XidError", Effect: placement.NoExecute, Since: noon.Unix()}}
	if diff := cmp.Diff(want, nodeOf(n).Taints); diff != "" {
		t.Errorf("taints (-want +got):\n%s", diff)
	}
	n.Status.Conditions[len(n.Status.Conditions)-1].Status = corev1.ConditionFalse
	if taints := nodeOf(n).Taints; len(taints) > 0 {
		t.Errorf("a node that is well again has %v", taints)
	}
}
