// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

// scatterWeight is what each peer in a domain weighs against it where a topology spread
// constraint may be broken: as much as the greatest weight that an affinity can have.
const scatterWeight = 100

// followPeers says to which other pods those of a set are tied.
func followPeers(namespace string, s *slipwayv1.PodSet, shape *placement.Shape) (err error) {
	if a := s.Affinity; a != nil && a.PodAffinity != nil {
		if shape.Near, err = peerTerms(namespace, s.Labels, a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution); err != nil {
			return fmt.Errorf("pod affinity: %w", err)
		}
		if err := prefer(namespace, s, shape, a.PodAffinity.PreferredDuringSchedulingIgnoredDuringExecution, 1); err != nil {
			return fmt.Errorf("preferred pod affinity: %w", err)
		}
	}
	if a := s.Affinity; a != nil && a.PodAntiAffinity != nil {
		if shape.Apart, err = peerTerms(namespace, s.Labels, a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution); err != nil {
			return fmt.Errorf("pod anti-affinity: %w", err)
		}
		if err := prefer(namespace, s, shape, a.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution, -1); err != nil {
			return fmt.Errorf("preferred pod anti-affinity: %w", err)
		}
	}
	for _, c := range s.TopologySpreadConstraints {
		e, err := evennessOf(namespace, s.Labels, &c)
		if err != nil {
			return fmt.Errorf("topology spread constraint: %w", err)
		}
		if c.WhenUnsatisfiable == corev1.DoNotSchedule {
			shape.Even = append(shape.Even, e)
			continue
		}
		shape.PreferredPeers = append(shape.PreferredPeers, placement.PeerPreference{
			PeerTerm: placement.PeerTerm{Peers: e.Peers, Key: e.Key}, Weight: -scatterWeight, Labelled: true})
	}
	return nil
}

// prefer to be beside peers, or with a sign below zero not to be.
func prefer(namespace string, s *slipwayv1.PodSet, shape *placement.Shape, terms []corev1.WeightedPodAffinityTerm, sign int32) error {
	for i := range terms {
		term, err := peerTerm(namespace, s.Labels, &terms[i].PodAffinityTerm)
		if err != nil {
			return err
		}
		shape.PreferredPeers = append(shape.PreferredPeers, placement.PeerPreference{PeerTerm: term, Weight: sign * terms[i].Weight})
	}
	return nil
}

// apartOf a pod that is bound are the terms by which it keeps others away. Its API
// server has accepted them and written what the keys of its labels stand for. Of more
// than a pod of ours may have, the others are not looked at: nobody needs them, and
// their memory would be that of all projects.
func apartOf(p *corev1.Pod) []placement.PeerTerm {
	if p.Spec.Affinity == nil || p.Spec.Affinity.PodAntiAffinity == nil {
		return nil
	}
	var terms []placement.PeerTerm
	required := p.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	for _, t := range required[:min(len(required), placement.MaxPeerTerms)] {
		if term, err := peerTerm(p.Namespace, nil, &t); err == nil {
			terms = append(terms, term)
		}
	}
	return terms
}

func peerTerms(namespace string, labels map[string]string, terms []corev1.PodAffinityTerm) ([]placement.PeerTerm, error) {
	var out []placement.PeerTerm
	for i := range terms {
		term, err := peerTerm(namespace, labels, &terms[i])
		if err != nil {
			return nil, err
		}
		out = append(out, term)
	}
	return out, nil
}

// peerTerm of pods in a namespace and with these labels.
func peerTerm(namespace string, labels map[string]string, t *corev1.PodAffinityTerm) (placement.PeerTerm, error) {
	term := placement.PeerTerm{Key: t.TopologyKey}
	if t.LabelSelector == nil {
		return term, nil // which is nobody
	}
	requirements, err := requirementsOf(t.LabelSelector)
	if err != nil {
		return term, err
	}
	requirements = append(requirements, likeOwn(t.MatchLabelKeys, placement.In, labels)...)
	term.Peers.Labels = append(requirements, likeOwn(t.MismatchLabelKeys, placement.NotIn, labels)...)
	term.Peers.Namespaces = slices.Sorted(slices.Values(t.Namespaces))
	if t.NamespaceSelector != nil {
		term.Peers.Wherever = true
		term.Peers.NamespaceLabels, err = requirementsOf(t.NamespaceSelector)
	} else if len(t.Namespaces) == 0 {
		term.Peers.Namespaces = []string{namespace}
	}
	return term, err
}

// evennessOf a constraint on pods in a namespace and with these labels.
func evennessOf(namespace string, labels map[string]string, c *corev1.TopologySpreadConstraint) (placement.Evenness, error) {
	e := placement.Evenness{
		Key: c.TopologyKey, MaxSkew: c.MaxSkew, MinDomains: ptr.Deref(c.MinDomains, 1),
		AnyNode:   ptr.Deref(c.NodeAffinityPolicy, corev1.NodeInclusionPolicyHonor) == corev1.NodeInclusionPolicyIgnore,
		Untainted: ptr.Deref(c.NodeTaintsPolicy, corev1.NodeInclusionPolicyIgnore) == corev1.NodeInclusionPolicyHonor,
	}
	if c.LabelSelector == nil {
		return e, nil // of nobody
	}
	requirements, err := requirementsOf(c.LabelSelector)
	if err != nil {
		return e, err
	}
	requirements = append(requirements, likeOwn(c.MatchLabelKeys, placement.In, labels)...)
	if len(requirements) > 0 { // Kubernetes counts nobody where everybody is selected.
		e.Peers = placement.Peers{Labels: requirements, Namespaces: []string{namespace}}
	}
	return e, nil
}

// likeOwn are the requirements that keys of a pod's own labels stand for.
func likeOwn(keys []string, operator placement.Operator, labels map[string]string) []placement.Requirement {
	var list []placement.Requirement
	for _, key := range keys {
		if value, ok := labels[key]; ok {
			list = append(list, placement.Requirement{Key: key, Operator: operator, Values: []string{value}})
		}
	}
	return list
}

// requirementsOf a selector, in an order that does not depend on how it is written.
func requirementsOf(s *metav1.LabelSelector) ([]placement.Requirement, error) {
	if _, err := metav1.LabelSelectorAsSelector(s); err != nil {
		return nil, err
	}
	var list []placement.Requirement
	for _, key := range slices.Sorted(maps.Keys(s.MatchLabels)) {
		list = append(list, placement.Requirement{Key: key, Operator: placement.In, Values: []string{s.MatchLabels[key]}})
	}
	for _, r := range s.MatchExpressions {
		list = append(list, placement.Requirement{Key: r.Key, Operator: placement.Operator(r.Operator), Values: r.Values})
	}
	return list, nil
}
