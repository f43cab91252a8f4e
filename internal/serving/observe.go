// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// labelEnforce on a namespace is the Pod Security Standard that it enforces.
const labelEnforce = "pod-security.kubernetes.io/enforce"

// observed is everything that one pass knows. What does not exist is empty.
type observed struct {
	Model      *slipwayv1.Model
	Deployment appsv1.Deployment
	Service    corev1.Service
	Pods       []corev1.Pod
	// Restricted: the namespace takes no pod that may run as root.
	Restricted bool
	// ClaimMissing: there is no claim of the name that the source gives.
	ClaimMissing bool
	// Refused is why the API server did not take what we asked for.
	Refused error
}

func (r *reconciler) observe(ctx context.Context, model *slipwayv1.Model) (*observed, error) {
	in := &observed{Model: model}
	key := client.ObjectKey{Namespace: model.Namespace, Name: objectName(model)}
	if err := r.client.Get(ctx, key, &in.Deployment); client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading the deployment: %w", err)
	}
	if err := r.client.Get(ctx, key, &in.Service); client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading the service: %w", err)
	}
	namespace := metadata("Namespace")
	if err := r.client.Get(ctx, client.ObjectKey{Name: model.Namespace}, namespace); err != nil {
		return nil, fmt.Errorf("reading the namespace: %w", err)
	}
	in.Restricted = namespace.Labels[labelEnforce] == "restricted"
	var pods corev1.PodList
	err := r.client.List(ctx, &pods, client.InNamespace(model.Namespace), client.MatchingLabels(labelsOf(model)))
	if err != nil {
		return nil, fmt.Errorf("listing the pods: %w", err)
	}
	in.Pods = pods.Items
	in.ClaimMissing, err = r.claimMissing(ctx, model)
	return in, err
}

func (r *reconciler) claimMissing(ctx context.Context, model *slipwayv1.Model) (bool, error) {
	claim := claimOf(model)
	if claim == nil {
		return false, nil
	}
	key := client.ObjectKey{Namespace: model.Namespace, Name: claim.Name}
	err := r.client.Get(ctx, key, metadata("PersistentVolumeClaim"))
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("reading the claim: %w", err)
	}
	return apierrors.IsNotFound(err), nil
}
