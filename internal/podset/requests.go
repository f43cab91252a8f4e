// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"
)

// Requests is what one pod asks of its node, as Kubernetes counts it. A
// template inside a job has not been through the API server's defaulting of
// pods, so a limit without a request is made one here first; the spec passed in
// is changed.
func Requests(spec *corev1.PodSpec) corev1.ResourceList {
	for i := range spec.InitContainers {
		requestLimits(&spec.InitContainers[i].Resources)
	}
	for i := range spec.Containers {
		requestLimits(&spec.Containers[i].Resources)
	}
	pod := &corev1.Pod{Spec: *spec}
	requestPodLimits(pod)
	requests := resource.PodRequests(pod, resource.PodResourcesOptions{})
	for name, quantity := range requests {
		if quantity.IsZero() {
			delete(requests, name)
		}
	}
	return requests
}

func requestLimits(r *corev1.ResourceRequirements) {
	for name, quantity := range r.Limits {
		if _, ok := r.Requests[name]; ok {
			continue
		}
		if r.Requests == nil {
			r.Requests = corev1.ResourceList{}
		}
		r.Requests[name] = quantity
	}
}

// requestPodLimits does the same for limits of the pod as a whole; there, the
// sum of its containers comes before the limit, but not for huge pages, of which
// a node cannot give more than it has.
func requestPodLimits(pod *corev1.Pod) {
	whole := pod.Spec.Resources
	if whole == nil {
		return
	}
	sum := resource.AggregateContainerRequests(pod, resource.PodResourcesOptions{})
	for name, quantity := range whole.Limits {
		if _, ok := whole.Requests[name]; ok || !resource.IsSupportedPodLevelResource(name) {
			continue
		}
		if containers, ok := sum[name]; ok && !strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix) {
			quantity = containers
		}
		if whole.Requests == nil {
			whole.Requests = corev1.ResourceList{}
		}
		whole.Requests[name] = quantity
	}
}
