// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/namespace"
)

// indexClaim finds Models by the claim that holds their weights.
const indexClaim = "serving.claim"

// concurrency is how many Models are worked on at a time.
const concurrency = 4

// Cache is what the manager needs to hold of a kind that no other room watches:
// Deployments with a Model's label. A manager without it works too, and holds
// those of the whole cluster.
func Cache() map[client.Object]cache.ByObject {
	ours, err := labels.NewRequirement(slipwayv1.LabelModel, selection.Exists, nil)
	if err != nil {
		panic(err) // the label is a constant
	}
	return map[client.Object]cache.ByObject{
		&appsv1.Deployment{}: {Label: labels.NewSelector().Add(*ours)},
	}
}

// Setup adds the controller of Models to the manager, whose scheme must know
// the kinds of api/v1alpha1 and of Kubernetes. The URL is where clients reach
// the front door, ending in /v1.
func Setup(mgr ctrl.Manager, url string) error {
	if err := mgr.GetFieldIndexer().IndexField(context.Background(), &slipwayv1.Model{}, indexClaim, claimName); err != nil {
		return fmt.Errorf("indexing models by claim: %w", err)
	}
	r := &reconciler{
		url:    url,
		client: mgr.GetClient(),
		live:   mgr.GetAPIReader(),
		events: namespace.Recorder(mgr.GetEventRecorder("slipway-serving"), mgr.GetClient()),
	}
	err := ctrl.NewControllerManagedBy(mgr).
		Named("model").
		For(&slipwayv1.Model{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.Service{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(labelledModel)).
		WatchesMetadata(&corev1.PersistentVolumeClaim{}, handler.EnqueueRequestsFromMapFunc(r.modelsOfClaim)).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up the controller of models: %w", err)
	}
	return nil
}

func claimName(object client.Object) []string {
	model, is := object.(*slipwayv1.Model)
	if !is || claimOf(model) == nil {
		return nil
	}
	return []string{claimOf(model).Name}
}

// labelledModel is the Model that a pod belongs to.
func labelledModel(_ context.Context, pod client.Object) []reconcile.Request {
	name := pod.GetLabels()[slipwayv1.LabelModel]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: pod.GetNamespace(), Name: name}}}
}

// modelsOfClaim are the Models that wait for, or use, a claim.
func (r *reconciler) modelsOfClaim(ctx context.Context, claim client.Object) []reconcile.Request {
	var models slipwayv1.ModelList
	err := r.client.List(ctx, &models, client.InNamespace(claim.GetNamespace()), client.MatchingFields{indexClaim: claim.GetName()})
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the models of a claim", "claim", claim.GetName())
		return nil
	}
	requests := make([]reconcile.Request, 0, len(models.Items))
	for _, model := range models.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&model)})
	}
	return requests
}

// metadata is an object of which only the metadata is held and watched.
func metadata(kind string) *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind))
	return object
}
