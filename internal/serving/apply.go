// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

const fieldOwner = "slipway-serving"

// takenError is a name that belongs to somebody else.
type takenError struct{ kind, name string }

func (e takenError) Error() string {
	return fmt.Sprintf("%s %s exists and is not this Model's; delete it or give the Model another name", e.kind, e.name)
}

// leftoverError is a name that a deleted Model of the same name still holds: the
// garbage collector has not come by yet.
type leftoverError struct{ kind, name string }

func (e leftoverError) Error() string {
	return fmt.Sprintf("%s %s of a deleted Model is still there", e.kind, e.name)
}

// apply makes what should be there, the Service first so that replicas are
// routed to as soon as they answer, and leaves in what was observed the objects
// as they then are.
func (r *reconciler) apply(ctx context.Context, in *observed) error {
	if err := r.ensure(ctx, in.Model, &in.Service, service(in.Model)); err != nil {
		return fmt.Errorf("applying the service: %w", err)
	}
	if err := r.ensure(ctx, in.Model, &in.Deployment, deployment(in.Model, in.Restricted)); err != nil {
		return fmt.Errorf("applying the deployment: %w", err)
	}
	return nil
}

// ensure applies what is wanted unless the live object is like that already.
func (r *reconciler) ensure(ctx context.Context, model *slipwayv1.Model, live, want client.Object) error {
	intent, err := intentOf(want)
	if err != nil {
		return err
	}
	if same, err := holds(live, intent); err != nil || same {
		return err
	}
	if err := r.free(ctx, model, intent); err != nil {
		return err
	}
	err = r.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(intent), client.ForceOwnership, client.FieldOwner(fieldOwner))
	if err != nil {
		return err
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructured(intent.Object, live)
}

// free says whether the name is the Model's to use. It reads past the cache,
// which does not hold what lacks our label.
func (r *reconciler) free(ctx context.Context, model *slipwayv1.Model, intent *unstructured.Unstructured) error {
	there := &metav1.PartialObjectMetadata{}
	there.SetGroupVersionKind(intent.GroupVersionKind())
	if err := r.live.Get(ctx, client.ObjectKeyFromObject(intent), there); err != nil {
		return client.IgnoreNotFound(err)
	}
	owner := metav1.GetControllerOf(there)
	switch {
	case owner == nil || !isModel(owner, model.Name):
		return takenError{intent.GetKind(), intent.GetName()}
	case owner.UID != model.UID:
		return leftoverError{intent.GetKind(), intent.GetName()}
	}
	return nil
}

// isModel says whether an owner is, or was, a Model of that name.
func isModel(owner *metav1.OwnerReference, name string) bool {
	group, err := schema.ParseGroupVersion(owner.APIVersion)
	return err == nil && group.Group == slipwayv1.GroupVersion.Group && owner.Kind == "Model" && owner.Name == name
}
