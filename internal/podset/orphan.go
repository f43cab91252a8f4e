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
)

// DropOrphan deletes the Gang that a job of a kind left behind, if it did: who deletes a
// job and keeps its pods (kubectl delete --cascade=orphan) keeps its Gang, too, which would
// hold its places for ever, and be in the way of the next job of that name. The label names
// the job. What its pods take counts on until they have ended.
func DropOrphan(ctx context.Context, c client.Client, kind, label string, job client.ObjectKey) error {
	gang := &slipwayv1.Gang{}
	key := client.ObjectKey{Namespace: job.Namespace, Name: GangName(kind, job.Name)}
	if err := c.Get(ctx, key, gang); err != nil {
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("reading gang %s: %w", key.Name, err)
	}
	if gang.Labels[label] != job.Name || metav1.GetControllerOf(gang) != nil || gang.DeletionTimestamp != nil {
		return nil
	}
	err := c.Delete(ctx, gang, client.Preconditions{UID: &gang.UID, ResourceVersion: &gang.ResourceVersion})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("deleting gang %s, whose job is gone: %w", key.Name, err)
	}
	return nil
}
