// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"

	"slipway.dev/slipway/api/rbac"
	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/namespace"
	"slipway.dev/slipway/internal/podset"
)

// concurrency is how many Jobs are worked on at a time.
const concurrency = 8

// Setup adds the controller of Jobs to the manager, whose scheme must know the kinds
// of api/v1alpha1 and of Kubernetes.
func Setup(mgr ctrl.Manager) error {
	if err := mgr.GetFieldIndexer().IndexField(context.Background(), &batchv1.Job{}, podset.IndexNeeds, needs); err != nil {
		return fmt.Errorf("indexing Jobs by what they need: %w", err)
	}
	b := ctrl.NewControllerManagedBy(mgr).
		For(&batchv1.Job{}).
		Owns(&slipwayv1.Gang{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency})
	err := podset.WatchNeeds(b, mgr.GetClient(), &batchv1.JobList{}).
		Complete(&reconciler{
			client: mgr.GetClient(),
			live:   mgr.GetAPIReader(),
			events: namespace.Recorder(mgr.GetEventRecorder("slipway-batch"), mgr.GetClient()),
		})
	if err != nil {
		return fmt.Errorf("setting up the controller of Jobs: %w", err)
	}
	return nil
}

// needs of a Job that waits, by which it is found when something comes.
func needs(object client.Object) []string {
	job := object.(*batchv1.Job)
	if !isQueued(job) || finished(job) || !isSuspended(job) || !waits(job) {
		return nil
	}
	needs := append(podset.NeedClaims(&job.Spec.Template.Spec), podset.NeedGang(gangName(job)))
	for _, class := range []string{job.Spec.Template.Spec.PriorityClassName, job.Labels[labelPriority]} {
		if class != "" {
			needs = append(needs, podset.NeedClass(class))
		}
	}
	return needs
}

// Rules are what the controller may do, and all that it does.
func Rules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		rbac.Rule(batchv1.GroupName, []string{"jobs"}, "get", "list", "watch", "patch"),
		// For owner references that block the owner's deletion.
		rbac.Rule(batchv1.GroupName, []string{"jobs/finalizers"}, "update"),
		rbac.Rule(slipwayv1.GroupVersion.Group, []string{"gangs"}, "get", "list", "watch", "create", "patch", "delete"),
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
