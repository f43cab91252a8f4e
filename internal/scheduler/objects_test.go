// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// noon is when everything happens in tests without a clock.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func quantities(cpu, gpu int64) corev1.ResourceList {
	list := corev1.ResourceList{corev1.ResourceCPU: *resource.NewQuantity(cpu, resource.DecimalSI)}
	if gpu > 0 {
		list["nvidia.com/gpu"] = *resource.NewQuantity(gpu, resource.DecimalSI)
	}
	return list
}

// newNode is ready, with so many cores and GPUs.
func newNode(name string, cpu, gpu int64) *corev1.Node {
	allocatable := quantities(cpu, gpu)
	allocatable[corev1.ResourcePods] = resource.MustParse("110")
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)},
		Status: corev1.NodeStatus{
			Allocatable: allocatable,
			Capacity:    allocatable,
			Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		},
	}
}

// newPod is bound to the node.
func newPod(name, node string, requests corev1.ResourceList) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns", UID: types.UID("uid-" + name)},
		Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{
			Name: "main", Image: "none", Resources: corev1.ResourceRequirements{Requests: requests, Limits: requests},
		}}},
	}
}

// newGang has one pod set of GPU workers.
func newGang(name string, workers int32, gpu int64) *slipwayv1.Gang {
	return &slipwayv1.Gang{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: "ns", UID: types.UID("uid-" + name),
			Generation: 1, ResourceVersion: "1", CreationTimestamp: metav1.NewTime(noon),
		},
		Spec: slipwayv1.GangSpec{PodSets: []slipwayv1.PodSet{{Name: "worker", Count: workers, Requests: quantities(1, gpu)}}},
	}
}

// places in words: "worker n1*2 n2*1".
func places(s *slipwayv1.GangStatus) string {
	words := ""
	for _, set := range s.Placement {
		words += set.Name
		for _, slot := range set.Slots {
			words += fmt.Sprintf(" %s*%d", slot.Node, slot.Count)
		}
	}
	return words
}
