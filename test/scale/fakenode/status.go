// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package fakenode

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// running is the status that makes a pod have an address and all its containers
// run. Nobody connects to the address, so all have the same.
func running(pod *corev1.Pod, now time.Time) corev1.PodStatus {
	at := metav1.NewTime(now)
	status := corev1.PodStatus{
		Phase: corev1.PodRunning, StartTime: &at,
		PodIP: "192.0.2.1", PodIPs: []corev1.PodIP{{IP: "192.0.2.1"}}, // TEST-NET-1 (RFC 5737)
		ContainerStatuses: containers(pod, corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at}}),
	}
	for _, c := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: c, Status: corev1.ConditionTrue, LastTransitionTime: at})
	}
	return status
}

// succeeded is the status of a pod of which every container has ended well.
func succeeded(pod *corev1.Pod, now time.Time) corev1.PodStatus {
	ended := &corev1.ContainerStateTerminated{Reason: "Completed", FinishedAt: metav1.NewTime(now)}
	return corev1.PodStatus{
		Phase:             corev1.PodSucceeded,
		ContainerStatuses: containers(pod, corev1.ContainerState{Terminated: ended}),
	}
}

func containers(pod *corev1.Pod, state corev1.ContainerState) []corev1.ContainerStatus {
	var all []corev1.ContainerStatus
	for _, c := range pod.Spec.Containers {
		runs := state.Running != nil
		all = append(all, corev1.ContainerStatus{Name: c.Name, Image: c.Image, Ready: runs, Started: ptr.To(runs), State: state})
	}
	return all
}
