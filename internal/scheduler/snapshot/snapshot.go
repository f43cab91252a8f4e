// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"cmp"
	"iter"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Snapshot of a cluster. Its objects may be shared, with the caches of a controller
// for example: who changes one copies it first.
type Snapshot struct {
	// Taken is when it was like this.
	Taken      time.Time
	Nodes      []*corev1.Node
	Namespaces []*corev1.Namespace
	// Classes, Volumes and Claims are what pods mount, PodGroups how many of them start
	// together. A cluster may have none, and who took the snapshot may not see them.
	Classes   []*storagev1.StorageClass
	Volumes   []*corev1.PersistentVolume
	Claims    []*corev1.PersistentVolumeClaim
	PodGroups []*schedulingv1beta1.PodGroup
	Devices
	// Priorities decide nothing about what is there: they are for jobs that somebody thinks of.
	Priorities []*schedulingv1.PriorityClass
	Projects   []*slipwayv1.Project
	Gangs      []*slipwayv1.Gang
	// Pods that have not ended, bound or not.
	Pods []*corev1.Pod
}

// Objects of all kinds: first what others refer to.
func (s *Snapshot) Objects() iter.Seq[client.Object] {
	return func(yield func(client.Object) bool) {
		_ = each(s.Nodes, yield) && each(s.Namespaces, yield) && each(s.Classes, yield) && each(s.Volumes, yield) &&
			each(s.Claims, yield) && each(s.PodGroups, yield) && s.Devices.objects(yield) &&
			each(s.Priorities, yield) && each(s.Projects, yield) && each(s.Gangs, yield) && each(s.Pods, yield)
	}
}

func each[T client.Object](objects []T, yield func(client.Object) bool) bool {
	for _, o := range objects {
		if !yield(o) {
			return false
		}
	}
	return true
}

// Add an object. Pods that have ended, and kinds that nothing is decided from, are
// left out.
func (s *Snapshot) Add(o client.Object) {
	switch o := o.(type) {
	case *corev1.Node:
		s.Nodes = append(s.Nodes, o)
	case *corev1.Namespace:
		s.Namespaces = append(s.Namespaces, o)
	case *storagev1.StorageClass:
		s.Classes = append(s.Classes, o)
	case *corev1.PersistentVolume:
		s.Volumes = append(s.Volumes, o)
	case *corev1.PersistentVolumeClaim:
		s.Claims = append(s.Claims, o)
	case *schedulingv1beta1.PodGroup:
		s.PodGroups = append(s.PodGroups, o)
	case *schedulingv1.PriorityClass:
		s.Priorities = append(s.Priorities, o)
	case *slipwayv1.Project:
		s.Projects = append(s.Projects, o)
	case *slipwayv1.Gang:
		s.Gangs = append(s.Gangs, o)
	case *corev1.Pod:
		if !Ended(o) {
			s.Pods = append(s.Pods, o)
		}
	default:
		s.Devices.add(o)
	}
}

// Sort the objects of each kind by namespace and name.
func (s *Snapshot) Sort() {
	sortByName(s.Nodes)
	sortByName(s.Namespaces)
	sortByName(s.Classes)
	sortByName(s.Volumes)
	sortByName(s.Claims)
	sortByName(s.PodGroups)
	s.Devices.sort()
	sortByName(s.Priorities)
	sortByName(s.Projects)
	sortByName(s.Gangs)
	sortByName(s.Pods)
}

func sortByName[T client.Object](objects []T) {
	slices.SortFunc(objects, func(a, b T) int {
		return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
	})
}

// Ended pods take nothing of their nodes any more.
func Ended(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// latest moment that the objects speak of: when a list that does not say so was taken,
// within the minutes between two words of a kubelet.
func (s *Snapshot) latest() time.Time {
	var latest time.Time
	seen := func(t metav1.Time) {
		if t.After(latest) {
			latest = t.Time
		}
	}
	for o := range s.Objects() {
		seen(o.GetCreationTimestamp())
		switch o := o.(type) {
		case *corev1.Node:
			for _, c := range o.Status.Conditions {
				seen(c.LastHeartbeatTime)
				seen(c.LastTransitionTime)
			}
		case *corev1.Pod:
			for _, c := range o.Status.Conditions {
				seen(c.LastTransitionTime)
			}
		case *slipwayv1.Gang:
			for _, c := range o.Status.Conditions {
				seen(c.LastTransitionTime)
			}
		}
	}
	return latest
}
