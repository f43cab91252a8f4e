// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// podOf says what a Pod takes of its node. It is false for one that takes nothing:
// it is not bound yet, or it has ended. A pod that is on its way out counts until
// it is gone.
func podOf(p *corev1.Pod) (placement.Pod, bool) {
	if p.Spec.NodeName == "" || snapshot.Ended(p) {
		return placement.Pod{}, false
	}
	out := placement.Pod{
		Key:  string(p.UID),
		Node: p.Spec.NodeName,
		// A pod that is being resized takes the greater of what it has and wants.
		Requests: resourcesOf(resource.PodRequests(p, resource.PodResourcesOptions{
			UseStatusResources: true, InPlacePodLevelResourcesVerticalScalingEnabled: true,
		})),
		HostPorts: placement.Distinct(hostPorts(&p.Spec)),
		Namespace: p.Namespace,
		Labels:    p.Labels,
		Leaving:   p.DeletionTimestamp != nil,
		Until:     secondsOf(p.DeletionTimestamp), // with its grace period
		Apart:     apartOf(p),
	}
	if gang := p.Labels[slipwayv1.LabelGang]; gang != "" {
		out.Gang = keyOf(p.Namespace, gang)
		out.Set, out.Rank = rankOf(p)
	}
	return out, true
}

// rankOf a pod within its set, or no set when it does not say.
func rankOf(p *corev1.Pod) (set string, rank int32) {
	n, err := strconv.ParseInt(p.Labels[slipwayv1.LabelRank], 10, 32)
	if err != nil {
		return "", 0
	}
	return p.Labels[slipwayv1.LabelPodSet], int32(n)
}

// hostPorts of the containers that run as long as the pod.
func hostPorts(spec *corev1.PodSpec) []placement.HostPort {
	var ports []placement.HostPort
	add := func(c *corev1.Container) {
		for _, p := range c.Ports {
			if p.HostPort > 0 {
				ports = append(ports, hostPortOf(p.HostPort, p.Protocol, p.HostIP))
			}
		}
	}
	for i := range spec.InitContainers {
		if c := &spec.InitContainers[i]; c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			add(c)
		}
	}
	for i := range spec.Containers {
		add(&spec.Containers[i])
	}
	return ports
}
