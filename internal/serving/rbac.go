// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"slipway.dev/slipway/api/rbac"
	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Rules are what the controller may do, and all that it does. It deletes
// nothing: what it makes goes with its Model, by owner reference.
func Rules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		rbac.Rule(slipwayv1.GroupVersion.Group, []string{"models"}, "get", "list", "watch"),
		rbac.Rule(slipwayv1.GroupVersion.Group, []string{"models/status"}, "patch"),
		// For owner references that block the owner's deletion.
		rbac.Rule(slipwayv1.GroupVersion.Group, []string{"models/finalizers"}, "update"),
		// Server-side apply is a patch, and a create for what is not there.
		rbac.Rule(appsv1.GroupName, []string{"deployments"}, "get", "list", "watch", "create", "patch"),
		rbac.Rule(corev1.GroupName, []string{"services"}, "get", "list", "watch", "create", "patch"),
		rbac.Rule(corev1.GroupName, []string{"pods"}, "list", "watch"),
		rbac.Rule(corev1.GroupName, []string{"persistentvolumeclaims", "namespaces"}, "get", "list", "watch"),
		rbac.Rule(eventsv1.GroupName, []string{"events"}, "create", "patch"),
	}
}
