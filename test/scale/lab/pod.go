// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"fmt"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/test/scale/fakenode"
)

// annotationSize on a pod is how many pods its gang has.
const annotationSize = "slipway.dev/bench-gang-size"

// podsOf a placed gang, each on its node. Those of another start have other names,
// for the earlier ones may still be there.
func podsOf(gang *slipwayv1.Gang, start int) []*corev1.Pod {
	var pods []*corev1.Pod
	for i := range gang.Spec.PodSets {
		set := &gang.Spec.PodSets[i]
		for rank := range set.Count {
			pods = append(pods, podOf(gang, set, rank))
		}
	}
	for _, pod := range pods {
		pod.Annotations[annotationSize] = strconv.Itoa(len(pods))
		if start > 1 {
			pod.Name = fmt.Sprintf("%s-start-%d", pod.Name, start)
		}
	}
	return pods
}

func podOf(gang *slipwayv1.Gang, set *slipwayv1.PodSet, rank int32) *corev1.Pod {
	pod := BoundPod(fmt.Sprintf("%s-%s-%d", gang.Name, set.Name, rank), nodeOf(gang, set.Name, rank), set.Requests)
	pod.Namespace = gang.Namespace
	pod.Labels = map[string]string{slipwayv1.LabelGang: gang.Name, slipwayv1.LabelPodSet: set.Name}
	pod.Annotations = map[string]string{}
	if runs := gang.Annotations[fakenode.AnnotationRunTime]; runs != "" {
		pod.Annotations[fakenode.AnnotationRunTime] = runs
	}
	for _, port := range set.HostPorts {
		pod.Spec.Containers[0].Ports = append(pod.Spec.Containers[0].Ports,
			corev1.ContainerPort{ContainerPort: port.Port, HostPort: port.Port, Protocol: port.Protocol})
	}
	return pod
}

func nodeOf(gang *slipwayv1.Gang, set string, rank int32) string {
	for i := range gang.Status.Placement {
		if place := &gang.Status.Placement[i]; place.Name == set {
			node, _ := place.NodeOf(rank)
			return node
		}
	}
	return ""
}

// BoundPod is a pod that already has its node.
func BoundPod(name, node string, requests corev1.ResourceList) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			NodeName:      node,
			RestartPolicy: corev1.RestartPolicyNever,
			Containers: []corev1.Container{{
				Name: "main", Image: "example.org/none",
				Resources: corev1.ResourceRequirements{Requests: requests, Limits: requests},
			}},
		},
	}
}

// NewJob is a Job of one pod.
func NewJob(name string, requests corev1.ResourceList) *batchv1.Job {
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: name}}
	job.Spec.Template.Spec = BoundPod(name, "", requests).Spec
	return job
}

// WaitingPod is a pod that the scheduler is to bind.
func WaitingPod(name string, requests corev1.ResourceList) *corev1.Pod {
	pod := BoundPod(name, "", requests)
	pod.Spec.SchedulerName = slipwayv1.SchedulerName
	return pod
}

func sizeOf(pod *corev1.Pod) int {
	size, err := strconv.Atoi(pod.Annotations[annotationSize])
	if err != nil {
		return 0
	}
	return size
}
