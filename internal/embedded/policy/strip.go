// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// strip keeps of an object what compile reads and informers need, because every
// agent holds all pods of the cluster in memory.
func strip(object any) (any, error) {
	switch o := object.(type) {
	case *corev1.Pod:
		return stripPod(o), nil
	case *corev1.Namespace:
		return &corev1.Namespace{ObjectMeta: stripMeta(o.ObjectMeta)}, nil
	case *networkingv1.NetworkPolicy:
		return &networkingv1.NetworkPolicy{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec}, nil
	}
	return object, nil
}

func stripMeta(meta metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace:         meta.Namespace,
		Name:              meta.Name,
		UID:               meta.UID,
		ResourceVersion:   meta.ResourceVersion,
		CreationTimestamp: meta.CreationTimestamp,
		Labels:            meta.Labels,
	}
}

func stripPod(pod *corev1.Pod) *corev1.Pod {
	stripped := &corev1.Pod{ObjectMeta: stripMeta(pod.ObjectMeta)}
	stripped.Spec.NodeName = pod.Spec.NodeName
	stripped.Spec.HostNetwork = pod.Spec.HostNetwork
	stripped.Status.Phase = pod.Status.Phase
	stripped.Status.PodIPs = pod.Status.PodIPs
	for _, container := range pod.Spec.Containers {
		if ports := withNames(container.Ports); len(ports) > 0 {
			stripped.Spec.Containers = append(stripped.Spec.Containers, corev1.Container{Ports: ports})
		}
	}
	for _, container := range pod.Spec.InitContainers {
		if ports := withNames(container.Ports); len(ports) > 0 && isSidecar(&container) {
			stripped.Spec.InitContainers = append(stripped.Spec.InitContainers,
				corev1.Container{Ports: ports, RestartPolicy: container.RestartPolicy})
		}
	}
	return stripped
}

func withNames(ports []corev1.ContainerPort) []corev1.ContainerPort {
	var named []corev1.ContainerPort
	for _, port := range ports {
		if port.Name != "" {
			named = append(named, corev1.ContainerPort{
				Name: port.Name, Protocol: port.Protocol, ContainerPort: port.ContainerPort,
			})
		}
	}
	return named
}
