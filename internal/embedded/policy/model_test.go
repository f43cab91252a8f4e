// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// model answers for one packet from the text of the API alone. It is slow and
// shares nothing with the compiler but the Kubernetes selectors.
type model struct {
	input
}

func (m model) allowed(p packet) bool {
	if p.established {
		return true
	}
	src, dst := m.podAt(p.src.String()), m.podAt(p.dst.String())
	if src != nil && src == dst && src.Spec.NodeName == m.node && p.src == p.dst {
		return true
	}
	return m.egressAllowed(p, src, dst) && m.ingressAllowed(p, src, dst)
}

func (m model) podAt(ip string) *corev1.Pod {
	var found *corev1.Pod
	for _, pod := range m.pods {
		if m.hasNetwork(pod) && slices.Contains(pod.Status.PodIPs, corev1.PodIP{IP: ip}) {
			if found == nil || found.CreationTimestamp.Before(&pod.CreationTimestamp) {
				found = pod
			}
		}
	}
	return found
}

func (m model) hasNetwork(pod *corev1.Pod) bool {
	switch pod.Status.Phase {
	case corev1.PodSucceeded, corev1.PodFailed:
		return false
	}
	return !pod.Spec.HostNetwork
}

func (m model) egressAllowed(p packet, src, dst *corev1.Pod) bool {
	if src == nil || src.Spec.NodeName != m.node {
		return !m.held(p.src.String(), networkingv1.PolicyTypeEgress)
	}
	isolated := false
	for _, policy := range m.policies {
		if !m.selects(policy, src) || !m.hasType(policy, networkingv1.PolicyTypeEgress) {
			continue
		}
		isolated = true
		for _, r := range policy.Spec.Egress {
			if m.anyPeer(policy.Namespace, r.To, p.dst.String(), dst) && m.anyPort(r.Ports, p, dst) {
				return true
			}
		}
	}
	return !isolated
}

func (m model) ingressAllowed(p packet, src, dst *corev1.Pod) bool {
	if dst == nil || dst.Spec.NodeName != m.node {
		return !m.held(p.dst.String(), networkingv1.PolicyTypeIngress)
	}
	isolated := false
	for _, policy := range m.policies {
		if !m.selects(policy, dst) || !m.hasType(policy, networkingv1.PolicyTypeIngress) {
			continue
		}
		isolated = true
		for _, r := range policy.Spec.Ingress {
			if m.anyPeer(policy.Namespace, r.From, p.src.String(), src) && m.anyPort(r.Ports, p, dst) {
				return true
			}
		}
	}
	return !isolated
}

// held tells whether an address of this node is cut off because it may be that of
// a pod that is isolated and has not told its address.
func (m model) held(ip string, kind networkingv1.PolicyType) bool {
	if !slices.ContainsFunc(m.podCIDRs, func(cidr netip.Prefix) bool { return contains(cidr.String(), ip) }) {
		return false
	}
	for _, pod := range m.pods {
		if pod.Spec.NodeName != m.node || !m.hasNetwork(pod) || len(pod.Status.PodIPs) > 0 {
			continue
		}
		for _, policy := range m.policies {
			if m.selects(policy, pod) && m.hasType(policy, kind) {
				return true
			}
		}
	}
	return false
}

func (m model) selects(policy *networkingv1.NetworkPolicy, pod *corev1.Pod) bool {
	return policy.Namespace == pod.Namespace && m.matches(&policy.Spec.PodSelector, pod.Labels)
}

func (m model) matches(s *metav1.LabelSelector, set map[string]string) bool {
	parsed, err := metav1.LabelSelectorAsSelector(s)
	return err == nil && parsed.Matches(labels.Set(set))
}

func (m model) hasType(policy *networkingv1.NetworkPolicy, kind networkingv1.PolicyType) bool {
	if policy.Spec.PolicyTypes != nil {
		return slices.Contains(policy.Spec.PolicyTypes, kind)
	}
	return kind == networkingv1.PolicyTypeIngress || len(policy.Spec.Egress) > 0
}

func (m model) anyPeer(namespace string, peers []networkingv1.NetworkPolicyPeer, ip string, pod *corev1.Pod) bool {
	if len(peers) == 0 {
		return true
	}
	return slices.ContainsFunc(peers, func(peer networkingv1.NetworkPolicyPeer) bool {
		switch {
		case peer.IPBlock != nil:
			return contains(peer.IPBlock.CIDR, ip) &&
				!slices.ContainsFunc(peer.IPBlock.Except, func(except string) bool { return contains(except, ip) })
		case pod == nil:
			return false
		case peer.NamespaceSelector == nil:
			return peer.PodSelector != nil && pod.Namespace == namespace && m.matches(peer.PodSelector, pod.Labels)
		default:
			return m.namespaceMatches(peer.NamespaceSelector, pod.Namespace) &&
				(peer.PodSelector == nil || m.matches(peer.PodSelector, pod.Labels))
		}
	})
}

func (m model) namespaceMatches(s *metav1.LabelSelector, name string) bool {
	return slices.ContainsFunc(m.namespaces, func(n *corev1.Namespace) bool {
		return n.Name == name && m.matches(s, n.Labels)
	})
}

func (m model) anyPort(ports []networkingv1.NetworkPolicyPort, p packet, dst *corev1.Pod) bool {
	if len(ports) == 0 {
		return true
	}
	return slices.ContainsFunc(ports, func(port networkingv1.NetworkPolicyPort) bool {
		protocol := corev1.ProtocolTCP
		if port.Protocol != nil {
			protocol = *port.Protocol
		}
		if map[string]corev1.Protocol{"tcp": "TCP", "udp": "UDP", "sctp": "SCTP"}[p.protocol] != protocol {
			return false
		}
		switch {
		case port.Port == nil:
			return true
		case port.Port.Type == intstr.String:
			return dst != nil && m.namesPort(dst, port.Port.StrVal, protocol, p.port)
		case port.EndPort != nil:
			return int(port.Port.IntVal) <= p.port && p.port <= int(*port.EndPort)
		default:
			return int(port.Port.IntVal) == p.port
		}
	})
}

func (m model) namesPort(pod *corev1.Pod, name string, protocol corev1.Protocol, number int) bool {
	for _, container := range pod.Spec.Containers {
		for _, p := range container.Ports {
			if p.Name == name && p.Protocol == protocol && int(p.ContainerPort) == number {
				return true
			}
		}
	}
	return false
}

func contains(cidr, ip string) bool {
	_, network, err := net.ParseCIDR(cidr)
	return err == nil && network.Contains(net.ParseIP(ip))
}
