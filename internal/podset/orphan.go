// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/namespace"
)

// Jobs of a kind, whose name a label of their Gangs has.
type Jobs struct{ Kind, Label string }

// Fetch a job, or see to it that nothing is left of one that is gone. False says that there
// is nothing to do: there is no such job, or it is being deleted, or its whole namespace is.
func (j Jobs) Fetch(ctx context.Context, c client.Client, key client.ObjectKey, job client.Object) (bool, error) {
	err := c.Get(ctx, key, job)
	switch {
	case apierrors.IsNotFound(err):
		return false, j.DropOrphan(ctx, c, key)
	case err != nil, job.GetDeletionTimestamp() != nil:
		return false, err
	}
	ends, err := namespace.Ends(ctx, c, key.Namespace)
	return !ends && err == nil, err
}

// DropOrphan deletes the Gang that a job left behind, if it did: who deletes a
// job and keeps its pods (kubectl delete --cascade=orphan) keeps its Gang, too, which would
// hold its places for ever, and be in the way of the next job of that name. What its pods
// take counts on until they have ended.
func (j Jobs) DropOrphan(ctx context.Context, c client.Client, job client.ObjectKey) error {
	gang := &slipwayv1.Gang{}
	key := client.ObjectKey{Namespace: job.Namespace, Name: GangName(j.Kind, job.Name)}
	if err := c.Get(ctx, key, gang); err != nil {
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("reading gang %s: %w", key.Name, err)
	}
	if gang.Labels[j.Label] != job.Name || metav1.GetControllerOf(gang) != nil || gang.DeletionTimestamp != nil {
		return nil
	}
	err := c.Delete(ctx, gang, client.Preconditions{UID: &gang.UID, ResourceVersion: &gang.ResourceVersion})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("deleting gang %s, whose job is gone: %w", key.Name, err)
	}
	return nil
}
