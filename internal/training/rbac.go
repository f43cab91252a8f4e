// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"

	"slipway.dev/slipway/api/rbac"
	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/training/frameworks"
)

// Rules are what the engine may do, and all that it does.
func Rules() []rbacv1.PolicyRule {
	var jobs, statuses, finalizers []string
	for _, f := range frameworks.All() {
		jobs = append(jobs, f.Resource)
		statuses = append(statuses, f.Resource+"/status")
		finalizers = append(finalizers, f.Resource+"/finalizers")
	}
	jobGroup := kubeflowv1.GroupVersion.Group
	return []rbacv1.PolicyRule{
		rbac.Rule(jobGroup, jobs, "get", "list", "watch", "delete"),
		rbac.Rule(jobGroup, statuses, "update"),
		// For owner references that block the owner's deletion.
		rbac.Rule(jobGroup, finalizers, "update"),
		rbac.Rule(slipwayv1.GroupVersion.Group, []string{"gangs"}, "get", "list", "watch", "create", "patch", "delete"),
		// Patch is for adopting and releasing.
		rbac.Rule(corev1.GroupName, []string{"pods", "services"}, "get", "list", "watch", "create", "patch", "delete"),
		rbac.Rule(corev1.GroupName, []string{"nodes"}, "get"),
		// Nothing is made where all is being deleted.
		rbac.Rule(corev1.GroupName, []string{"namespaces"}, "get", "list", "watch"),
		// Pods go where their volumes can be reached.
		rbac.Rule(corev1.GroupName, []string{"persistentvolumeclaims", "persistentvolumes"}, "get", "list", "watch"),
		// Pods go where the devices are that they claim.
		rbac.Rule(resourcev1.GroupName, []string{"resourceclaimtemplates"}, "get", "list", "watch"),
		rbac.Rule(schedulingv1.GroupName, []string{"priorityclasses"}, "get", "list", "watch"),
		rbac.Rule(eventsv1.GroupName, []string{"events"}, "create", "patch"),
	}
}
