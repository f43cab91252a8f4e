// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package filters

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// Labels and values that pods and namespaces have.
var (
	podLabels = []string{"app", "tier"}
	podValues = []string{"x", "y"}
)

const elsewhere = "elsewhere"

// namespaces are that of the new pod, and another one.
func (d *dice) namespaces() []*corev1.Namespace {
	var list []*corev1.Namespace
	for _, name := range []string{namespace, elsewhere} {
		list = append(list, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: d.labels()}})
	}
	return list
}

func (d *dice) labels() map[string]string {
	labels := map[string]string{}
	for _, key := range some(d, podLabels...) {
		labels[key] = one(d, podValues...)
	}
	return labels
}

// peers adds to an affinity, which may be nil, to which other pods a pod is tied.
func (d *dice) peers(a *corev1.Affinity) *corev1.Affinity {
	if a == nil {
		a = &corev1.Affinity{}
	}
	a.PodAffinity = &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: list(d, d.n(3), d.peerTerm)}
	a.PodAntiAffinity = &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: list(d, d.n(3), d.peerTerm)}
	return a
}

func (d *dice) topologyKey() string {
	return one(d, "zone", corev1.LabelHostname, "rack", "nowhere")
}

func (d *dice) peerTerm() corev1.PodAffinityTerm {
	t := corev1.PodAffinityTerm{TopologyKey: d.topologyKey(), LabelSelector: d.selector()}
	if d.oneIn(4) {
		t.Namespaces = some(d, elsewhere, namespace)
	}
	if d.oneIn(4) {
		t.NamespaceSelector = d.selector()
	}
	if d.oneIn(4) {
		t.MatchLabelKeys = []string{"tier"}
	} else if d.oneIn(4) {
		t.MismatchLabelKeys = []string{"tier"}
	}
	return t
}

// selector of pods or namespaces: of some, of all, or of none.
func (d *dice) selector() *metav1.LabelSelector {
	s := &metav1.LabelSelector{}
	switch d.n(8) {
	case 0:
		return nil
	case 1:
		return s
	case 2:
		s.MatchExpressions = list(d, 2, d.requirement)
	case 3:
		s.MatchExpressions = []metav1.LabelSelectorRequirement{d.requirement()}
		fallthrough
	default:
		s.MatchLabels = map[string]string{one(d, podLabels...): one(d, podValues...)}
	}
	return s
}

func (d *dice) requirement() metav1.LabelSelectorRequirement {
	r := metav1.LabelSelectorRequirement{
		Key: one(d, podLabels...),
		Operator: one(d, metav1.LabelSelectorOpNotIn, metav1.LabelSelectorOpIn, metav1.LabelSelectorOpExists,
			metav1.LabelSelectorOpDoesNotExist),
	}
	if r.Operator == metav1.LabelSelectorOpIn || r.Operator == metav1.LabelSelectorOpNotIn {
		r.Values = append(some(d, "y"), "x")
	}
	return r
}

func (d *dice) spreads() []corev1.TopologySpreadConstraint {
	return list(d, 2, func() corev1.TopologySpreadConstraint {
		c := corev1.TopologySpreadConstraint{
			TopologyKey: d.topologyKey(), MaxSkew: int32(1 + d.n(2)), LabelSelector: d.selector(),
			WhenUnsatisfiable: one(d, corev1.DoNotSchedule, corev1.DoNotSchedule, corev1.ScheduleAnyway),
		}
		if c.WhenUnsatisfiable == corev1.DoNotSchedule && d.oneIn(3) {
			c.MinDomains = ptr.To(int32(1 + d.n(3)))
		}
		if d.oneIn(3) {
			c.NodeAffinityPolicy = ptr.To(one(d, corev1.NodeInclusionPolicyIgnore, corev1.NodeInclusionPolicyHonor))
		}
		if d.oneIn(3) {
			c.NodeTaintsPolicy = ptr.To(one(d, corev1.NodeInclusionPolicyHonor, corev1.NodeInclusionPolicyIgnore))
		}
		if d.oneIn(4) {
			c.MatchLabelKeys = []string{"tier"}
		}
		return c
	})
}
