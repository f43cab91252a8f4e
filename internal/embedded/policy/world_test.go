// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// world makes small clusters at random in which most things matter: few labels,
// few ports, blocks that cut through the pods' addresses.
type world struct {
	*rand.Rand
	podCount int
}

func newWorld(seed uint64) world {
	return world{Rand: rand.New(rand.NewPCG(seed, 1)), podCount: 8}
}

func pick[T any](w world, choices ...T) T {
	return choices[w.IntN(len(choices))]
}

// some makes up to limit things, often none.
func some[T any](w world, limit int, make func() T) []T {
	var made []T
	for range max(0, w.IntN(limit+2)-1) {
		made = append(made, make())
	}
	return made
}

// podAddresses of the nth pod are in a range of its node, 1 or 2.
func podAddresses(node, n int) (v4, v6 string) {
	return fmt.Sprintf("10.0.%d.%d", node, n+1), fmt.Sprintf("fd00:%d::%x", node, n+1)
}

func (w world) input() input {
	in := input{node: thisNode, families: families(nil)}
	if w.IntN(2) == 0 {
		in.podCIDRs = []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24"), netip.MustParsePrefix("fd00:1::/64")}
	}
	for _, name := range []string{"a", "b", "c"} {
		in.namespaces = append(in.namespaces, newNamespace(name, w.labels()))
	}
	for n := range w.podCount {
		in.pods = append(in.pods, w.pod(n))
	}
	for n := range w.IntN(7) {
		in.policies = append(in.policies, w.policy(n))
	}
	return in
}

func (w world) pod(n int) *corev1.Pod {
	node := 1 + n%2
	v4, v6 := podAddresses(node, n)
	pod := newPod(fmt.Sprintf("%s/pod-%d", pick(w, "a", "a", "b", "c"), n), w.labels(), v4, v6)
	pod.CreationTimestamp = metav1.NewTime(time.Unix(int64(n), 0))
	if node == 2 {
		onOtherNode(pod)
	}
	switch w.IntN(12) {
	case 0:
		pod.Status.Phase = pick(w, corev1.PodSucceeded, corev1.PodFailed)
	case 1:
		pod.Spec.HostNetwork = true
	case 2:
		pod.Status.Phase, pod.Status.PodIPs = corev1.PodPending, nil
	case 3:
		pod.Status.PodIPs = pod.Status.PodIPs[:1]
	case 4:
		// An address that the pod before this one on the node had, or has too.
		v4, v6 = podAddresses(node, max(0, n-2))
		pod.Status.PodIPs = []corev1.PodIP{{IP: v4}, {IP: v6}}
	}
	for _, name := range []string{"http", "metrics"} {
		if w.IntN(2) == 0 {
			withPort(name, w.protocol(), w.number())(pod)
		}
	}
	return pod
}

func (w world) labels() string {
	return pick(w, "", "app=x", "app=y", "app=z") + " " + pick(w, "", "tier=front", "tier=back")
}

func (w world) selector() *metav1.LabelSelector {
	switch w.IntN(5) {
	case 0, 1:
		return &metav1.LabelSelector{}
	case 2:
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{
			Key: "app", Operator: pick(w, metav1.LabelSelectorOpIn, metav1.LabelSelectorOpNotIn), Values: []string{"x", "y"},
		}}}
	case 3:
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{
			Key: "tier", Operator: pick(w, metav1.LabelSelectorOpExists, metav1.LabelSelectorOpDoesNotExist),
		}}}
	default:
		return selector(w.labels())
	}
}

func (w world) policy(n int) *networkingv1.NetworkPolicy {
	policy := newPolicy(fmt.Sprintf("%s/policy-%d", pick(w, "a", "a", "b", "c"), n), "")
	policy.Spec.PodSelector = *w.selector()
	policy.Spec.PolicyTypes = pick(w, nil,
		[]networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
		[]networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
		[]networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress})
	for range w.IntN(3) {
		from(some(w, 3, w.peer), some(w, 3, w.policyPort)...)(&policy.Spec)
	}
	for range w.IntN(3) {
		to(some(w, 3, w.peer), some(w, 3, w.policyPort)...)(&policy.Spec)
	}
	return policy
}

func (w world) peer() networkingv1.NetworkPolicyPeer {
	switch w.IntN(4) {
	case 0:
		return networkingv1.NetworkPolicyPeer{PodSelector: w.selector()}
	case 1:
		return networkingv1.NetworkPolicyPeer{NamespaceSelector: w.selector()}
	case 2:
		return networkingv1.NetworkPolicyPeer{PodSelector: w.selector(), NamespaceSelector: w.selector()}
	default:
		return pick(w,
			block("0.0.0.0/0"), block("0.0.0.0/0", "10.0.0.0/8"), block("10.0.0.0/8", "10.0.1.0/29", "10.0.1.0/24", "10.0.2.4/32"),
			block("10.0.1.0/30"), block("10.0.2.5/32"), block("192.0.2.0/24"),
			block("::/0"), block("::/0", "fd00:1::/64", "fd00:2::4/128"), block("fd00:1::/125"), block("fd00::/8"))
	}
}

func (w world) protocol() corev1.Protocol {
	return pick(w, corev1.ProtocolTCP, corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP)
}

// portNumbersInUse are what packets and named ports are made of.
func portNumbersInUse() []int32 { return []int32{80, 8080, 8081, 9090} }

func (w world) number() int32 { return pick(w, portNumbersInUse()...) }

func (w world) policyPort() networkingv1.NetworkPolicyPort {
	switch w.IntN(6) {
	case 0:
		return anyPort(w.protocol())
	case 1:
		return networkingv1.NetworkPolicyPort{Port: port("", w.number()).Port}
	case 2:
		return ports(w.protocol(), 8000+w.Int32N(100), 8081+w.Int32N(2000))
	case 3, 4:
		return portNamed(w.protocol(), pick(w, "http", "metrics", "unknown"))
	default:
		return port(w.protocol(), w.number())
	}
}

// packets are between pods of both nodes, the outside, and addresses of this node
// that no pod has told.
func (w world) packet() packet {
	v6 := w.IntN(2) == 0
	return packet{
		src:         w.address(v6),
		dst:         w.address(v6),
		protocol:    pick(w, "tcp", "tcp", "udp", "sctp", "icmp"),
		port:        int(w.number()),
		established: w.IntN(20) == 0,
	}
}

func (w world) address(v6 bool) netip.Addr {
	n := w.IntN(w.podCount + 2)
	v4Text, v6Text := podAddresses(1+n%2, n)
	if n == w.podCount+1 {
		v4Text, v6Text = "192.0.2.7", "2001:db8::7"
	}
	if v6 {
		return netip.MustParseAddr(v6Text)
	}
	return netip.MustParseAddr(v4Text)
}
