// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const thisNode, otherNode = "node-1", "node-2"

// newPod makes a running pod of this node: "namespace/name", "app=web tier=front",
// addresses.
func newPod(name, labels string, ips ...string) *corev1.Pod {
	namespace, name, _ := strings.Cut(name, "/")
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + "/" + name), Labels: labelSet(labels)},
		Spec:       corev1.PodSpec{NodeName: thisNode},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	}
	for _, ip := range ips {
		pod.Status.PodIPs = append(pod.Status.PodIPs, corev1.PodIP{IP: ip})
	}
	return pod
}

func with[T any](object *T, changes ...func(*T)) *T {
	for _, change := range changes {
		change(object)
	}
	return object
}

func onOtherNode(pod *corev1.Pod) { pod.Spec.NodeName = otherNode }

func inHostNetwork(pod *corev1.Pod) { pod.Spec.HostNetwork = true }

func inPhase(phase corev1.PodPhase) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Status.Phase = phase }
}

func withPort(name string, protocol corev1.Protocol, number int32) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{
			Ports: []corev1.ContainerPort{{Name: name, Protocol: protocol, ContainerPort: number}},
		})
	}
}

func newNamespace(name, labels string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labelSet(labels)}}
}

func newPolicy(name, podLabels string, changes ...func(*networkingv1.NetworkPolicySpec)) *networkingv1.NetworkPolicy {
	namespace, name, _ := strings.Cut(name, "/")
	policy := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	policy.Spec.PodSelector = *selector(podLabels)
	for _, change := range changes {
		change(&policy.Spec)
	}
	return policy
}

func ofTypes(kinds ...networkingv1.PolicyType) func(*networkingv1.NetworkPolicySpec) {
	return func(spec *networkingv1.NetworkPolicySpec) { spec.PolicyTypes = kinds }
}

func from(peers []networkingv1.NetworkPolicyPeer, ports ...networkingv1.NetworkPolicyPort) func(*networkingv1.NetworkPolicySpec) {
	return func(spec *networkingv1.NetworkPolicySpec) {
		spec.Ingress = append(spec.Ingress, networkingv1.NetworkPolicyIngressRule{From: peers, Ports: ports})
	}
}

func to(peers []networkingv1.NetworkPolicyPeer, ports ...networkingv1.NetworkPolicyPort) func(*networkingv1.NetworkPolicySpec) {
	return func(spec *networkingv1.NetworkPolicySpec) {
		spec.Egress = append(spec.Egress, networkingv1.NetworkPolicyEgressRule{To: peers, Ports: ports})
	}
}

// peers of nothing is an empty from or to.
func peers(list ...networkingv1.NetworkPolicyPeer) []networkingv1.NetworkPolicyPeer { return list }

func pods(labels string) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{PodSelector: selector(labels)}
}

func namespaces(labels string) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{NamespaceSelector: selector(labels)}
}

func podsInNamespaces(podLabels, namespaceLabels string) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{PodSelector: selector(podLabels), NamespaceSelector: selector(namespaceLabels)}
}

func block(cidr string, except ...string) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: cidr, Except: except}}
}

func port(protocol corev1.Protocol, number int32) networkingv1.NetworkPolicyPort {
	return networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: new(intstr.FromInt32(number))}
}

func ports(protocol corev1.Protocol, first, last int32) networkingv1.NetworkPolicyPort {
	return networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: new(intstr.FromInt32(first)), EndPort: &last}
}

func portNamed(protocol corev1.Protocol, name string) networkingv1.NetworkPolicyPort {
	return networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: new(intstr.FromString(name))}
}

func anyPort(protocol corev1.Protocol) networkingv1.NetworkPolicyPort {
	return networkingv1.NetworkPolicyPort{Protocol: &protocol}
}

func selector(labels string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: labelSet(labels)}
}

func labelSet(text string) map[string]string {
	set := map[string]string{}
	for _, pair := range strings.Fields(text) {
		key, value, _ := strings.Cut(pair, "=")
		set[key] = value
	}
	return set
}

// newInput is what this node sees, with both families.
func newInput(objects ...any) input {
	in := input{node: thisNode, families: families(nil)}
	for _, object := range objects {
		switch o := object.(type) {
		case *corev1.Pod:
			in.pods = append(in.pods, o)
		case *corev1.Namespace:
			in.namespaces = append(in.namespaces, o)
		case *networkingv1.NetworkPolicy:
			in.policies = append(in.policies, o)
		case netip.Prefix:
			in.podCIDRs = append(in.podCIDRs, o)
		}
	}
	return in
}
