// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/knftables"
)

// direction is seen from the pod that a policy selects. It is also the name of
// the base chain that enforces it.
type direction string

const (
	ingress direction = "ingress"
	egress  direction = "egress"
)

// rule is an ingress or egress rule: any of its peers on any of its ports.
type rule struct {
	peers []networkingv1.NetworkPolicyPeer
	ports []networkingv1.NetworkPolicyPort
}

// priority places both chains behind the filter chains of the service proxy,
// which refuse Services without endpoints and so answer rather than drop.
func (d direction) priority() knftables.BaseChainPriority {
	if d == egress {
		return knftables.FilterPriority + "+10"
	}
	return knftables.FilterPriority + "+11"
}

// pod is the field of a packet that holds the address of the selected pod.
func (d direction) pod() string {
	if d == egress {
		return "saddr"
	}
	return "daddr"
}

// peer is the field of a packet that holds the address of the other end.
func (d direction) peer() string {
	if d == egress {
		return "daddr"
	}
	return "saddr"
}

// isolates tells whether a policy is about this direction. The API server fills
// policyTypes; the default is repeated here for objects that it did not store.
func (d direction) isolates(spec *networkingv1.NetworkPolicySpec) bool {
	if len(spec.PolicyTypes) == 0 {
		return d == ingress || len(spec.Egress) > 0
	}
	wanted := networkingv1.PolicyTypeIngress
	if d == egress {
		wanted = networkingv1.PolicyTypeEgress
	}
	return slices.Contains(spec.PolicyTypes, wanted)
}

func (d direction) rules(spec *networkingv1.NetworkPolicySpec) []rule {
	var rules []rule
	if d == egress {
		for _, r := range spec.Egress {
			rules = append(rules, rule{peers: r.To, ports: r.Ports})
		}
		return rules
	}
	for _, r := range spec.Ingress {
		rules = append(rules, rule{peers: r.From, ports: r.Ports})
	}
	return rules
}
