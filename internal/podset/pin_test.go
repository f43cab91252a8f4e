// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestPinnedTo reads back where pods were pinned to, whatever they asked for themselves.
func TestPinnedTo(t *testing.T) {
	byName := func(operator corev1.NodeSelectorOperator, terms ...string) *corev1.Affinity {
		selector := &corev1.NodeSelector{}
		for _, node := range terms {
			selector.NodeSelectorTerms = append(selector.NodeSelectorTerms, corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{
				{Key: metav1.ObjectNameField, Operator: operator, Values: []string{node}}}})
		}
		return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: selector}}
	}
	for name, own := range map[string]*corev1.Affinity{
		"nothing":     nil,
		"not on n2":   byName(corev1.NodeSelectorOpNotIn, "n2"),
		"on n2 or n1": byName(corev1.NodeSelectorOpIn, "n2", "n1"),
		"near pods":   {PodAffinity: &corev1.PodAffinity{}},
	} {
		if got := PinnedTo(Pinned(own, "n1")); got != "n1" {
			t.Errorf("%s: pinned to n1, read back as %q", name, got)
		}
		if got := PinnedTo(own); got != "" {
			t.Errorf("%s: pinned to nothing, read back as %q", name, got)
		}
	}
}
