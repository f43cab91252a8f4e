// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/netip"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// cluster is the pods and namespaces as policies see them.
type cluster struct {
	namespaces  map[string]labels.Set
	byNamespace map[string][]*endpoint // pods with an address
	local       []*endpoint            // those of this node
	pending     []*endpoint            // pods of this node that have no address yet
}

// endpoint is a pod that has a network of its own.
type endpoint struct {
	namespace string
	labels    labels.Set
	addresses []address
	ports     []namedPort
	local     bool
}

type address struct {
	family family
	text   string
}

type namedPort struct {
	name, protocol, number string
}

func newCluster(in input) cluster {
	c := cluster{namespaces: map[string]labels.Set{}, byNamespace: map[string][]*endpoint{}}
	for _, namespace := range in.namespaces {
		c.namespaces[namespace.Name] = namespace.Labels
	}
	owners := owners(in.pods)
	for _, pod := range in.pods {
		if networked(pod) {
			c.place(newEndpoint(pod, in.node, owners), len(pod.Status.PodIPs) == 0)
		}
	}
	return c
}

func (c *cluster) place(e *endpoint, pending bool) {
	switch {
	case pending && e.local:
		c.pending = append(c.pending, e)
	case len(e.addresses) > 0:
		c.byNamespace[e.namespace] = append(c.byNamespace[e.namespace], e)
		if e.local {
			c.local = append(c.local, e)
		}
	}
}

// networked tells whether a pod has or will have addresses of its own. Those of
// a finished pod may already belong to another one.
func networked(pod *corev1.Pod) bool {
	return !pod.Spec.HostNetwork && !finished(pod)
}

func finished(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// owners gives each address to one pod. Two pods show the same one for as long
// as the API server has not heard of the end of the first: the newer has it.
func owners(pods []*corev1.Pod) map[netip.Addr]*corev1.Pod {
	owners := make(map[netip.Addr]*corev1.Pod, len(pods))
	for _, pod := range pods {
		if !networked(pod) {
			continue
		}
		for _, addr := range addresses(pod) {
			if other := owners[addr]; other == nil || newer(pod, other) {
				owners[addr] = pod
			}
		}
	}
	return owners
}

func newer(a, b *corev1.Pod) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return b.CreationTimestamp.Before(&a.CreationTimestamp)
	}
	return a.UID > b.UID
}

func addresses(pod *corev1.Pod) []netip.Addr {
	var found []netip.Addr
	for _, ip := range pod.Status.PodIPs {
		if addr, err := netip.ParseAddr(ip.IP); err == nil {
			found = append(found, addr.Unmap())
		}
	}
	return found
}

func newEndpoint(pod *corev1.Pod, node string, owners map[netip.Addr]*corev1.Pod) *endpoint {
	e := &endpoint{
		namespace: pod.Namespace,
		labels:    pod.Labels,
		ports:     namedPorts(pod),
		local:     pod.Spec.NodeName == node,
	}
	for _, addr := range addresses(pod) {
		if owners[addr] == pod {
			e.addresses = append(e.addresses, address{familyOf(addr), addr.String()})
		}
	}
	return e
}

// namedPorts includes those of sidecars, which are init containers that go on
// running.
func namedPorts(pod *corev1.Pod) []namedPort {
	var found []namedPort
	add := func(ports []corev1.ContainerPort) {
		for _, p := range ports {
			if p.Name != "" {
				found = append(found, namedPort{p.Name, protocolName(p.Protocol), strconv.Itoa(int(p.ContainerPort))})
			}
		}
	}
	for _, container := range pod.Spec.Containers {
		add(container.Ports)
	}
	for _, container := range pod.Spec.InitContainers {
		if isSidecar(&container) {
			add(container.Ports)
		}
	}
	return found
}

func isSidecar(container *corev1.Container) bool {
	return container.RestartPolicy != nil && *container.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// protocolName is the name of a protocol in nft.
func protocolName(protocol corev1.Protocol) string {
	if protocol == "" {
		protocol = corev1.ProtocolTCP
	}
	return strings.ToLower(string(protocol))
}
