// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// apply carries out the plan. What turns out to be done already is no error.
func (r *reconciler) apply(ctx context.Context, in observed, todo plan) error {
	if todo.Gang != nil {
		if err := r.writeGang(ctx, in.Gang, todo.Gang); err != nil {
			return err
		}
	}
	if todo.Job != nil {
		patch := client.MergeFromWithOptions(in.Job, client.MergeFromWithOptimisticLock{})
		if err := r.client.Patch(ctx, todo.Job, patch); client.IgnoreNotFound(err) != nil {
			return wrap(err, "patching the job")
		}
	}
	if todo.DropGang {
		err := r.client.Delete(ctx, in.Gang, client.Preconditions{UID: &in.Gang.UID})
		if !apierrors.IsConflict(err) {
			return wrap(client.IgnoreNotFound(err), "deleting gang %s", in.Gang.Name)
		}
	}
	return nil
}

func (r *reconciler) writeGang(ctx context.Context, old, next *slipwayv1.Gang) error {
	if old == nil {
		err := r.client.Create(ctx, next)
		if apierrors.IsAlreadyExists(err) {
			return nil // The cache is behind; seeing it brings the next pass.
		}
		return wrap(err, "making gang %s", next.Name)
	}
	err := r.client.Patch(ctx, next, client.MergeFromWithOptions(old, client.MergeFromWithOptimisticLock{}))
	return wrap(err, "patching gang %s", next.Name)
}
