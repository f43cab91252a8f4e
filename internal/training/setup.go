// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/namespace"
	"slipway.dev/slipway/internal/podset"
	"slipway.dev/slipway/internal/training/frameworks"
)

// indexOwner finds pods and services by the UID of the job that controls them.
const indexOwner = "training.owner"

// concurrency is how many jobs of a kind are worked on at a time.
const concurrency = 16

// Setup adds a controller for each kind of job to the manager, whose scheme must
// know the kinds of api/v1alpha1, of kubeflow.org/v1 and of Kubernetes.
func Setup(mgr ctrl.Manager) error {
	for _, object := range []client.Object{&corev1.Pod{}, &corev1.Service{}} {
		if err := mgr.GetFieldIndexer().IndexField(context.Background(), object, indexOwner, ownerUID); err != nil {
			return fmt.Errorf("indexing %T by owner: %w", object, err)
		}
	}
	for _, f := range frameworks.All() {
		r := &reconciler{
			framework: f,
			client:    mgr.GetClient(),
			live:      mgr.GetAPIReader(),
			events:    namespace.Recorder(mgr.GetEventRecorder("slipway-training"), mgr.GetClient()),
		}
		if err := mgr.GetFieldIndexer().IndexField(context.Background(), f.New(), podset.IndexNeeds, needsOf(f)); err != nil {
			return fmt.Errorf("indexing %s by what they need: %w", f.Kind, err)
		}
		b := ctrl.NewControllerManagedBy(mgr).
			For(f.New()).
			Owns(&slipwayv1.Gang{}).
			Owns(&corev1.Pod{}).
			Owns(&corev1.Service{}).
			WithOptions(controller.Options{MaxConcurrentReconciles: concurrency})
		if err := podset.WatchNeeds(b, mgr.GetClient(), f.NewList()).Complete(r); err != nil {
			return fmt.Errorf("setting up the controller of %s: %w", f.Kind, err)
		}
	}
	return nil
}

func ownerUID(object client.Object) []string {
	if owner := metav1.GetControllerOf(object); owner != nil {
		return []string{string(owner.UID)}
	}
	return nil
}
