// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

const testURL = "http://127.0.0.1:8484/v1"

// modelWith is a Model as the API server has defaulted it, changed.
func modelWith(change ...func(*slipwayv1.Model)) *slipwayv1.Model {
	model := &slipwayv1.Model{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "tiny", UID: "m-1", Generation: 3},
		Spec: slipwayv1.ModelSpec{
			Replicas: ptr.To[int32](1),
			Engine: slipwayv1.Engine{Container: &slipwayv1.ContainerEngine{
				Image: "engine:1", Port: 8000, ReadyPath: "/health",
			}},
		},
	}
	for _, c := range change {
		c(model)
	}
	return model
}

func replicas(n int32) func(*slipwayv1.Model) {
	return func(m *slipwayv1.Model) { m.Spec.Replicas = ptr.To(n) }
}

func fromClaim(name, path string) func(*slipwayv1.Model) {
	return func(m *slipwayv1.Model) {
		m.Spec.Source = &slipwayv1.ModelSource{Claim: &slipwayv1.ClaimSource{Name: name, Path: path}}
	}
}

// deploymentWith is a Deployment of which so many replicas exist, are of the
// last revision, and answer.
func deploymentWith(all, updated, ready int32) appsv1.Deployment {
	return appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Generation: 2},
		Status: appsv1.DeploymentStatus{
			ObservedGeneration: 2, Replicas: all, UpdatedReplicas: updated, ReadyReplicas: ready,
		},
	}
}

// podWith is a pod that has a node and one container in the given state.
func podWith(status corev1.ContainerStatus, change ...func(*corev1.Pod)) corev1.Pod {
	status.Name, status.Image = containerName, "engine:1"
	pod := corev1.Pod{Status: corev1.PodStatus{
		Phase:             corev1.PodPending,
		Conditions:        []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}},
		ContainerStatuses: []corev1.ContainerStatus{status},
	}}
	for _, c := range change {
		c(&pod)
	}
	return pod
}

func waiting(reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{
		Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message},
	}}
}

// ended is a container that ended and, restarts given, runs again.
func ended(restarts int32, reason string, code int32, message string) corev1.ContainerStatus {
	end := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: reason, ExitCode: code, Message: message}}
	if restarts == 0 {
		return corev1.ContainerStatus{State: end}
	}
	return corev1.ContainerStatus{RestartCount: restarts, LastTerminationState: end, State: running().State}
}

func running() corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
}

func isReady(p *corev1.Pod) {
	p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue})
}

func unschedulable() corev1.Pod {
	return podWith(corev1.ContainerStatus{}, func(p *corev1.Pod) {
		p.Status.Conditions = []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable",
			Message: "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.",
		}}
	})
}
