// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/test/scale/fakenode"
)

// hostPort that a pod takes of its node where there may be one pod on each.
const hostPort = 23456

// gpus are so many GPUs with the processors that belong to them.
func gpus(n int64) corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU: *resource.NewQuantity(4*n, resource.DecimalSI),
		fakenode.GPU:       *resource.NewQuantity(n, resource.DecimalSI),
	}
}

func newGang(name string, pods int, requests corev1.ResourceList) *slipwayv1.Gang {
	return &slipwayv1.Gang{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: slipwayv1.GangSpec{PodSets: []slipwayv1.PodSet{{
			Name: "worker", Count: int32(pods), Requests: requests,
		}}},
	}
}

// newJob has one master, and workers for the rest of its pods.
func newJob(name string, pods int, requests corev1.ResourceList) *kubeflowv1.PyTorchJob {
	job := &kubeflowv1.PyTorchJob{ObjectMeta: metav1.ObjectMeta{Name: name}}
	job.Spec.PyTorchReplicaSpecs = map[kubeflowv1.ReplicaType]*kubeflowv1.ReplicaSpec{
		kubeflowv1.PyTorchJobReplicaTypeMaster: replicas(1, requests),
	}
	if pods > 1 {
		job.Spec.PyTorchReplicaSpecs[kubeflowv1.PyTorchJobReplicaTypeWorker] = replicas(pods-1, requests)
	}
	return job
}

func replicas(n int, requests corev1.ResourceList) *kubeflowv1.ReplicaSpec {
	return &kubeflowv1.ReplicaSpec{
		Replicas: ptr.To(int32(n)),
		Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: kubeflowv1.PyTorchJobDefaultContainerName, Image: "example.org/none",
			Resources: corev1.ResourceRequirements{Requests: requests, Limits: requests},
		}}}},
	}
}

func newProject(name, parent string, quota ...slipwayv1.Quota) *slipwayv1.Project {
	return &slipwayv1.Project{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       slipwayv1.ProjectSpec{Parent: parent, Quota: quota},
	}
}
