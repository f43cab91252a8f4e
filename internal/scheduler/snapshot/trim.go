// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// prefixes are those of the annotations that say something to the scheduler.
var prefixes = []string{"slipway.dev/", "kueue.x-k8s.io/"}

// Trim an object to what decisions are made from. What it returns shares parts with
// what it is given.
func Trim(o client.Object) client.Object {
	switch o := o.(type) {
	case *corev1.Node:
		return trimNode(o)
	case *corev1.Namespace:
		return &corev1.Namespace{TypeMeta: typeMeta(corev1.SchemeGroupVersion.String(), "Namespace"), ObjectMeta: trimMeta(&o.ObjectMeta)}
	case *corev1.Pod:
		return trimPod(o)
	case *storagev1.StorageClass:
		return &storagev1.StorageClass{TypeMeta: typeMeta(storagev1.SchemeGroupVersion.String(), "StorageClass"), ObjectMeta: trimMeta(&o.ObjectMeta),
			Provisioner: o.Provisioner, VolumeBindingMode: o.VolumeBindingMode, AllowedTopologies: o.AllowedTopologies}
	case *corev1.PersistentVolume:
		return trimVolume(o)
	case *corev1.PersistentVolumeClaim:
		return trimClaim(o)
	case *schedulingv1beta1.PodGroup:
		return &schedulingv1beta1.PodGroup{TypeMeta: typeMeta(schedulingv1beta1.SchemeGroupVersion.String(), "PodGroup"), ObjectMeta: trimMeta(&o.ObjectMeta), Spec: o.Spec}
	case *schedulingv1.PriorityClass:
		return &schedulingv1.PriorityClass{TypeMeta: typeMeta(schedulingv1.SchemeGroupVersion.String(), "PriorityClass"), ObjectMeta: trimMeta(&o.ObjectMeta),
			Value: o.Value, GlobalDefault: o.GlobalDefault}
	case *slipwayv1.Project:
		out := &slipwayv1.Project{TypeMeta: typeMeta(slipwayv1.GroupVersion.String(), "Project"), ObjectMeta: trimMeta(&o.ObjectMeta), Spec: o.Spec, Status: o.Status}
		out.Spec.Members = nil
		return out
	case *slipwayv1.Gang:
		return &slipwayv1.Gang{TypeMeta: typeMeta(slipwayv1.GroupVersion.String(), "Gang"), ObjectMeta: trimMeta(&o.ObjectMeta), Spec: o.Spec, Status: o.Status}
	}
	return trimDevices(o)
}

func typeMeta(apiVersion, kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: apiVersion, Kind: kind}
}

func trimMeta(m *metav1.ObjectMeta) metav1.ObjectMeta {
	out := metav1.ObjectMeta{
		Name: m.Name, Namespace: m.Namespace, UID: m.UID, ResourceVersion: m.ResourceVersion, Generation: m.Generation,
		CreationTimestamp: m.CreationTimestamp, DeletionTimestamp: m.DeletionTimestamp, Labels: m.Labels,
	}
	if len(m.Annotations) > 0 {
		out.Annotations = maps.Clone(m.Annotations)
		maps.DeleteFunc(out.Annotations, func(key, _ string) bool {
			return !slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
		})
	}
	return out
}

func trimNode(n *corev1.Node) *corev1.Node {
	out := &corev1.Node{
		TypeMeta:   typeMeta(corev1.SchemeGroupVersion.String(), "Node"),
		ObjectMeta: trimMeta(&n.ObjectMeta),
		Spec:       corev1.NodeSpec{Unschedulable: n.Spec.Unschedulable, Taints: n.Spec.Taints},
		Status:     corev1.NodeStatus{Allocatable: n.Status.Allocatable},
	}
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady || c.Type == slipwayv1.NodeUnhealthy {
			out.Status.Conditions = append(out.Status.Conditions, corev1.NodeCondition{
				Type: c.Type, Status: c.Status, Reason: c.Reason, LastTransitionTime: c.LastTransitionTime})
		}
	}
	return out
}

// trimVolume to who has it and from where it is reached.
func trimVolume(v *corev1.PersistentVolume) *corev1.PersistentVolume {
	out := &corev1.PersistentVolume{
		TypeMeta:   typeMeta(corev1.SchemeGroupVersion.String(), "PersistentVolume"),
		ObjectMeta: trimMeta(&v.ObjectMeta),
		Spec:       corev1.PersistentVolumeSpec{StorageClassName: v.Spec.StorageClassName, NodeAffinity: v.Spec.NodeAffinity},
		Status:     corev1.PersistentVolumeStatus{Phase: v.Status.Phase},
	}
	if c := v.Spec.ClaimRef; c != nil {
		out.Spec.ClaimRef = &corev1.ObjectReference{Namespace: c.Namespace, Name: c.Name, UID: c.UID}
	}
	return out
}

// AnnotationSelectedNode on a claim says for which node its volume is made, when its
// class waits for the first pod.
const AnnotationSelectedNode = "volume.kubernetes.io/selected-node"

func trimClaim(c *corev1.PersistentVolumeClaim) *corev1.PersistentVolumeClaim {
	out := &corev1.PersistentVolumeClaim{
		TypeMeta:   typeMeta(corev1.SchemeGroupVersion.String(), "PersistentVolumeClaim"),
		ObjectMeta: trimMeta(&c.ObjectMeta),
		Spec:       corev1.PersistentVolumeClaimSpec{StorageClassName: c.Spec.StorageClassName, VolumeName: c.Spec.VolumeName},
		Status:     corev1.PersistentVolumeClaimStatus{Phase: c.Status.Phase},
	}
	if node := c.Annotations[AnnotationSelectedNode]; node != "" {
		metav1.SetMetaDataAnnotation(&out.ObjectMeta, AnnotationSelectedNode, node)
	}
	return out
}

// trimMounts to the claims among them.
func trimMounts(list []corev1.Volume) []corev1.Volume {
	var out []corev1.Volume
	for _, v := range list {
		switch {
		case v.PersistentVolumeClaim != nil:
			out = append(out, corev1.Volume{Name: v.Name, VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: v.PersistentVolumeClaim}})
		case v.Ephemeral != nil:
			out = append(out, corev1.Volume{Name: v.Name, VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}})
		}
	}
	return out
}

func trimPod(p *corev1.Pod) *corev1.Pod {
	spec := &p.Spec
	out := &corev1.Pod{
		TypeMeta:   typeMeta(corev1.SchemeGroupVersion.String(), "Pod"),
		ObjectMeta: trimMeta(&p.ObjectMeta),
		Spec: corev1.PodSpec{
			NodeName: spec.NodeName, SchedulerName: spec.SchedulerName, SchedulingGates: spec.SchedulingGates,
			SchedulingGroup: spec.SchedulingGroup, Volumes: trimMounts(spec.Volumes), ResourceClaims: spec.ResourceClaims,
			Priority: spec.Priority, NodeSelector: spec.NodeSelector, Affinity: spec.Affinity, Tolerations: spec.Tolerations,
			TopologySpreadConstraints: spec.TopologySpreadConstraints, ActiveDeadlineSeconds: spec.ActiveDeadlineSeconds,
			HostNetwork: spec.HostNetwork, Overhead: spec.Overhead, Resources: spec.Resources,
			InitContainers: trimContainers(spec.InitContainers), Containers: trimContainers(spec.Containers),
		},
		Status: corev1.PodStatus{
			Phase: p.Status.Phase, StartTime: p.Status.StartTime,
			ResourceClaimStatuses: p.Status.ResourceClaimStatuses,
			Resources:             p.Status.Resources, AllocatedResources: p.Status.AllocatedResources,
			InitContainerStatuses: trimStatuses(p.Status.InitContainerStatuses),
			ContainerStatuses:     trimStatuses(p.Status.ContainerStatuses),
		},
	}
	for _, c := range p.Status.Conditions {
		switch c.Type {
		case corev1.PodScheduled, corev1.PodResizePending, corev1.PodResizeInProgress, corev1.DisruptionTarget:
			out.Status.Conditions = append(out.Status.Conditions, corev1.PodCondition{
				Type: c.Type, Status: c.Status, Reason: c.Reason, LastTransitionTime: c.LastTransitionTime})
		}
	}
	return out
}

// trimContainers to their size, and their ports on the node.
func trimContainers(list []corev1.Container) []corev1.Container {
	var out []corev1.Container
	for _, c := range list {
		slim := corev1.Container{Name: c.Name, Resources: c.Resources, RestartPolicy: c.RestartPolicy}
		for _, port := range c.Ports {
			if port.HostPort > 0 {
				slim.Ports = append(slim.Ports, port)
			}
		}
		out = append(out, slim)
	}
	return out
}

// trimStatuses to what a pod that is being resized has.
func trimStatuses(list []corev1.ContainerStatus) []corev1.ContainerStatus {
	var out []corev1.ContainerStatus
	for _, s := range list {
		if s.Resources != nil || s.AllocatedResources != nil {
			out = append(out, corev1.ContainerStatus{Name: s.Name, Resources: s.Resources, AllocatedResources: s.AllocatedResources})
		}
	}
	return out
}
