// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// peers writes the conditions of which one must hold for the other end. No peers
// in a policy means any; peers of which none can match mean none.
func (c *compiler) peers(d direction, namespace string, peers []networkingv1.NetworkPolicyPeer) []match {
	if len(peers) == 0 {
		return []match{{}}
	}
	var matches []match
	for _, peer := range peers {
		if peer.IPBlock != nil {
			matches = append(matches, c.block(d, peer.IPBlock)...)
		} else {
			matches = append(matches, c.selected(d, namespace, peer)...)
		}
	}
	return matches
}

// selected matches pods by a set of their addresses. A selector that cannot be
// read picks no pod.
func (c *compiler) selected(d direction, namespace string, peer networkingv1.NetworkPolicyPeer) []match {
	selection, err := newSelection(namespace, peer)
	if err != nil {
		return nil
	}
	name := "pods-" + digest(selection.key()...)
	if _, made := c.out.sets[name+"-"+string(c.families[0])]; !made {
		c.selection(name, selection)
	}
	var matches []match
	for _, f := range c.families {
		matches = append(matches, match{f, words(f, d.peer(), "@"+name+"-"+string(f))})
	}
	return matches
}

// selection makes the set of each family.
func (c *compiler) selection(name string, s selection) {
	elements := map[family][]element{}
	for _, e := range s.endpoints(c.cluster) {
		for _, a := range e.addresses {
			elements[a.family] = append(elements[a.family], element{key: a.text})
		}
	}
	for _, f := range c.families {
		c.out.add(name+"-"+string(f), set{kind: f.address(), comment: s.String(), elements: elements[f]})
	}
}

// selection is the pods that a peer selects: in one namespace, or in those that
// a selector picks.
type selection struct {
	namespace  string
	namespaces labels.Selector
	pods       labels.Selector
}

func newSelection(namespace string, peer networkingv1.NetworkPolicyPeer) (selection, error) {
	s := selection{namespace: namespace, pods: labels.Everything()}
	var err error
	if peer.NamespaceSelector == nil {
		// Without any selector a peer is nothing, not everything.
		s.pods, err = metav1.LabelSelectorAsSelector(peer.PodSelector)
		return s, err
	}
	if s.namespaces, err = metav1.LabelSelectorAsSelector(peer.NamespaceSelector); err != nil {
		return s, err
	}
	if peer.PodSelector != nil {
		s.pods, err = metav1.LabelSelectorAsSelector(peer.PodSelector)
	}
	return s, err
}

// key is equal exactly for selections that mean the same by their text.
func (s selection) key() []string {
	if s.namespaces == nil {
		return []string{"namespace", s.namespace, s.pods.String()}
	}
	return []string{"namespaces", s.namespaces.String(), s.pods.String()}
}

func (s selection) String() string {
	if s.namespaces == nil {
		return "pods (" + s.pods.String() + ") in " + s.namespace
	}
	return "pods (" + s.pods.String() + ") in namespaces (" + s.namespaces.String() + ")"
}

func (s selection) endpoints(c cluster) []*endpoint {
	var found []*endpoint
	add := func(candidates []*endpoint) {
		for _, e := range candidates {
			if s.pods.Matches(e.labels) {
				found = append(found, e)
			}
		}
	}
	if s.namespaces == nil {
		add(c.byNamespace[s.namespace])
		return found
	}
	for name, namespace := range c.namespaces {
		if s.namespaces.Matches(namespace) {
			add(c.byNamespace[name])
		}
	}
	return found
}
