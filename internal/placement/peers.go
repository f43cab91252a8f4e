// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"slices"
	"strings"
)

// Peers are pods by their labels and by their namespace.
type Peers struct {
	// Labels that each of them has; no requirement is met by every pod.
	Labels []Requirement
	// Namespaces that they are in, by name, or, when Wherever is set, by the labels that
	// the namespace has. In neither, there is nobody.
	Namespaces      []string
	Wherever        bool
	NamespaceLabels []Requirement
}

// PeerTerm ties a pod to others: to those in the same domain of the label Key.
type PeerTerm struct {
	Peers Peers
	Key   string
}

// PeerPreference is for nodes with many peers in their domain of the label Key, or, with
// a weight below zero, for those with few: each peer adds the weight to what speaks for
// the node.
type PeerPreference struct {
	PeerTerm
	Weight int32
	// Labelled wants nodes without the label last; otherwise nobody is beside them.
	Labelled bool
}

// Evenness keeps pods from being unevenly divided among the domains of the label Key:
// none may have MaxSkew more than the one that has least. Nodes without one of the
// labels of all of a pod's rules are no part of any domain.
type Evenness struct {
	Peers   Peers
	Key     string
	MaxSkew int32
	// MinDomains is how many domains there must be for the least to be above zero.
	MinDomains int32
	// AnyNode counts nodes, too, that the pod's selector and affinity exclude, and
	// Untainted counts only those whose taints it tolerates.
	AnyNode, Untainted bool
}

func all(requirements []Requirement, labels map[string]string) bool {
	for _, r := range requirements {
		value, ok := labels[r.Key]
		if !r.holds(value, ok) {
			return false
		}
	}
	return true
}

// include a pod of a namespace that has these labels itself.
func (p *Peers) include(namespace string, labels, namespaceLabels map[string]string) bool {
	in := slices.Contains(p.Namespaces, namespace) || p.Wherever && all(p.NamespaceLabels, namespaceLabels)
	return in && all(p.Labels, labels)
}

func (p *Peers) validate() error {
	for _, r := range slices.Concat(p.Labels, p.NamespaceLabels) {
		if r.Field || r.Operator == Gt || r.Operator == Lt {
			return fmt.Errorf("operator %q on %q of a pod is not supported; use In, NotIn, Exists or DoesNotExist", r.Operator, r.Key)
		}
		if err := r.validate(); err != nil {
			return err
		}
	}
	return nil
}

// MaxPeerTerms of a pod. Each costs memory for every node.
const MaxPeerTerms = 64

func (s *Shape) validatePeers() error {
	if n := len(s.Near) + len(s.Apart) + len(s.Even) + len(s.PreferredPeers); n > MaxPeerTerms {
		return fmt.Errorf("%d terms of affinity between pods and topology spread constraints; use at most %d", n, MaxPeerTerms)
	}
	for _, terms := range []struct {
		name string
		list []PeerTerm
	}{{"pod affinity", s.Near}, {"pod anti-affinity", s.Apart}} {
		for _, t := range terms.list {
			if err := t.Peers.validate(); err != nil {
				return fmt.Errorf("%s: %w", terms.name, err)
			}
			if t.Key == "" {
				return fmt.Errorf("%s names no topology key; name a label of nodes", terms.name)
			}
		}
	}
	for _, t := range s.PreferredPeers {
		if err := t.Peers.validate(); err != nil {
			return fmt.Errorf("preferred pod affinity or spread: %w", err)
		}
		if t.Key == "" {
			return fmt.Errorf("preferred pod affinity or spread names no topology key; name a label of nodes")
		}
	}
	for _, e := range s.Even {
		if err := e.Peers.validate(); err != nil {
			return fmt.Errorf("topology spread constraint: %w", err)
		}
		if e.Key == "" || e.MaxSkew < 1 || e.MinDomains < 0 {
			return fmt.Errorf("topology spread constraint on %q with a skew of %d and %d domains; name a label of nodes and use a skew of one or more",
				e.Key, e.MaxSkew, e.MinDomains)
		}
	}
	return nil
}

// tied says that it matters for the shape which pods are where.
func (s *Shape) tied() bool {
	return len(s.Near)+len(s.Apart)+len(s.Even)+len(s.PreferredPeers) > 0
}

// String of peers as people write labels: "app=x, tier".
func (p *Peers) String() string {
	var words []string
	for _, r := range p.Labels {
		values := strings.Join(r.Values, "|")
		switch r.Operator {
		case In:
			words = append(words, r.Key+"="+values)
		case NotIn:
			words = append(words, r.Key+"!="+values)
		case Exists:
			words = append(words, r.Key)
		case DoesNotExist:
			words = append(words, "!"+r.Key)
		}
	}
	if len(words) == 0 {
		return "any labels"
	}
	return strings.Join(words, ", ")
}
