// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Pinned adds to an affinity that only the one node will do.
func Pinned(affinity *corev1.Affinity, node string) *corev1.Affinity {
	out, required := ofNodes(affinity)
	if *required == nil {
		*required = &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{}}}
	}
	// Terms are alternatives: each one must be held to the node.
	terms := (*required).NodeSelectorTerms
	for i := range terms {
		terms[i].MatchFields = append(terms[i].MatchFields, corev1.NodeSelectorRequirement{
			Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{node},
		})
	}
	return out
}

// PinnedTo is the node that an affinity was pinned to; empty for none.
func PinnedTo(affinity *corev1.Affinity) string {
	if affinity == nil || affinity.NodeAffinity == nil || affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return ""
	}
	node := ""
	for _, term := range affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		last := len(term.MatchFields) - 1
		if last < 0 {
			return ""
		}
		field := &term.MatchFields[last]
		if field.Key != metav1.ObjectNameField || field.Operator != corev1.NodeSelectorOpIn || len(field.Values) != 1 || node != "" && field.Values[0] != node {
			return ""
		}
		node = field.Values[0]
	}
	return node
}

// reachable adds to an affinity that the node must reach every volume that pods of
// the template mount.
func reachable(affinity *corev1.Affinity, template *corev1.PodTemplateSpec, volumes map[string]*corev1.NodeSelector) *corev1.Affinity {
	for i := range template.Spec.Volumes {
		if where := volumes[claimOf(template.Name, &template.Spec.Volumes[i])]; where != nil {
			affinity = Confined(affinity, where)
		}
	}
	return affinity
}

// claimOf a volume: the one that it names or, where it lives as long as its pod, the one
// that Kubernetes makes for it; empty for none. A template without a name is of many pods,
// whose claims are made when they are.
func claimOf(pod string, v *corev1.Volume) string {
	switch {
	case v.PersistentVolumeClaim != nil:
		return v.PersistentVolumeClaim.ClaimName
	case v.Ephemeral != nil && pod != "":
		return pod + "-" + v.Name
	}
	return ""
}

// Confined adds to an affinity that the node must match the selector as well.
func Confined(affinity *corev1.Affinity, to *corev1.NodeSelector) *corev1.Affinity {
	out, required := ofNodes(affinity)
	if *required == nil {
		*required = to.DeepCopy()
	} else {
		*required = both(*required, to)
	}
	return out
}

// ofNodes copies an affinity, and says where in the copy the nodes that it requires
// are named; nil there is any node.
func ofNodes(affinity *corev1.Affinity) (*corev1.Affinity, **corev1.NodeSelector) {
	out := affinity.DeepCopy()
	if out == nil {
		out = &corev1.Affinity{}
	}
	if out.NodeAffinity == nil {
		out.NodeAffinity = &corev1.NodeAffinity{}
	}
	return out, &out.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
}

// both selectors at once. The terms of each are alternatives, so that every pair
// of them is one; a term without requirements matches nothing, and nor does any
// pair with it.
func both(a, b *corev1.NodeSelector) *corev1.NodeSelector {
	out := &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{}}
	for _, s := range a.NodeSelectorTerms {
		for _, t := range b.NodeSelectorTerms {
			if isEmpty(s) || isEmpty(t) {
				continue
			}
			out.NodeSelectorTerms = append(out.NodeSelectorTerms, corev1.NodeSelectorTerm{
				MatchExpressions: slices.Concat(s.MatchExpressions, t.MatchExpressions),
				MatchFields:      slices.Concat(s.MatchFields, t.MatchFields),
			})
		}
	}
	return out
}

func isEmpty(t corev1.NodeSelectorTerm) bool { return len(t.MatchExpressions)+len(t.MatchFields) == 0 }
