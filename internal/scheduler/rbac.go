// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	storagev1 "k8s.io/api/storage/v1"

	"slipway.dev/slipway/api/rbac"
	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Rules are what the scheduler may do, and all that it does.
func Rules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		rbac.Rule(corev1.GroupName, []string{"namespaces", "nodes", "pods"}, "get", "list", "watch"),
		// Pods that name this scheduler are bound, told why they wait, or give way.
		rbac.Rule(corev1.GroupName, []string{"pods/binding"}, "create"),
		rbac.Rule(corev1.GroupName, []string{"pods/status"}, "patch"),
		// Those that claim devices are held to their node.
		rbac.Rule(corev1.GroupName, []string{"pods"}, "patch", "delete"),
		// A claim that waits for its first pod is told the pod's node.
		rbac.Rule(corev1.GroupName, []string{"persistentvolumeclaims"}, "get", "list", "watch", "patch"),
		rbac.Rule(corev1.GroupName, []string{"persistentvolumes"}, "get", "list", "watch"),
		rbac.Rule(storagev1.GroupName, []string{"storageclasses"}, "get", "list", "watch"),
		rbac.Rule(resourcev1.GroupName, []string{"deviceclasses", "resourceclaims", "resourceclaimtemplates", "resourceslices"}, "get", "list", "watch"),
		rbac.Rule(schedulingv1beta1.GroupName, []string{"podgroups"}, "get", "list", "watch"),
		rbac.Rule(schedulingv1beta1.GroupName, []string{"podgroups/status"}, "patch"),
		rbac.Rule(slipwayv1.GroupVersion.Group, []string{"gangs", "projects"}, "get", "list", "watch"),
		rbac.Rule(slipwayv1.GroupVersion.Group, []string{"gangs/status", "projects/status"}, "update"),
		rbac.Rule(eventsv1.GroupName, []string{"events"}, "create", "patch"),
	}
}
