// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package namespace tells controllers of namespaces that are being deleted. What is in
// one goes in any order, and the API server lets nobody make anything there: a controller
// that replaces what it misses would fail, and tell of faults that are none.
package namespace

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Ends says that a namespace is being deleted, as far as the reader knows: a cache may
// learn of it after what was in the namespace is gone. See Refuses.
func Ends(ctx context.Context, r client.Reader, name string) (bool, error) {
	found := &corev1.Namespace{}
	if err := r.Get(ctx, client.ObjectKey{Name: name}, found); err != nil {
		if apierrors.IsNotFound(err) {
			return false, nil // A cache may be behind here, too.
		}
		return false, fmt.Errorf("reading namespace %s: %w", name, err)
	}
	return found.DeletionTimestamp != nil, nil
}

// Refuses says that something was not made since its namespace is being deleted. It never
// will be, and there is nobody to tell.
func Refuses(err error) bool { return apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) }
