// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Of so many pods of a template. Volumes says which nodes reach the volume that a
// claim is bound to, where not all do, keyed by the claim's name.
func Of(name string, count int32, template *corev1.PodTemplateSpec, volumes map[string]*corev1.NodeSelector) slipwayv1.PodSet {
	template = template.DeepCopy()
	spec := &template.Spec
	for _, ours := range []string{slipwayv1.LabelGang, slipwayv1.LabelPodSet} { // A template has them once it has run.
		delete(template.Labels, ours)
	}
	set := slipwayv1.PodSet{
		Name:         name,
		Count:        count,
		Requests:     Requests(spec),
		NodeSelector: spec.NodeSelector,
		Affinity:     spec.Affinity,
		Tolerations:  spec.Tolerations,
		HostPorts:    hostPorts(spec),
		Labels:       template.Labels,
		Topology:     topologyOf(template.Annotations),
		Spread:       template.Annotations[slipwayv1.AnnotationSpread] == "true",

		TopologySpreadConstraints: spec.TopologySpreadConstraints,
	}
	if spec.NodeName != "" {
		set.Affinity = Pinned(spec.Affinity, spec.NodeName)
	}
	set.Affinity = reachable(set.Affinity, template, volumes)
	return set
}

// hostPorts that containers which live as long as the pod bind on the node. On
// the host's network every container port is one.
func hostPorts(spec *corev1.PodSpec) []slipwayv1.HostPort {
	var ports []slipwayv1.HostPort
	add := func(c corev1.Container) {
		for _, port := range c.Ports {
			number := port.HostPort
			if number == 0 && spec.HostNetwork {
				number = port.ContainerPort
			}
			if number > 0 {
				protocol := port.Protocol
				if protocol == "" {
					protocol = corev1.ProtocolTCP
				}
				ports = append(ports, slipwayv1.HostPort{Port: number, Protocol: protocol, IP: port.HostIP})
			}
		}
	}
	for _, c := range spec.InitContainers {
		if ptr.Deref(c.RestartPolicy, "") == corev1.ContainerRestartPolicyAlways {
			add(c)
		}
	}
	for _, c := range spec.Containers {
		add(c)
	}
	return ports
}
