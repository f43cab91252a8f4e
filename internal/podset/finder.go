// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// finder of what a template names. It may have been made just before, so that the cache has not
// heard of it: then the live reader is asked.
type finder struct{ cached, live client.Reader }

func (f finder) find(ctx context.Context, key client.ObjectKey, object client.Object) error {
	err := f.cached.Get(ctx, key, object)
	if apierrors.IsNotFound(err) {
		err = f.live.Get(ctx, key, object)
	}
	return err
}
