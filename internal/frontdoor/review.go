// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// maxReviews are asked of the API server at a time, of keys and as many of
// permissions: bad keys must not keep good ones from their models.
const maxReviews = 32

// Reviewer sends TokenReviews and SubjectAccessReviews to the API server, which
// fills in their status.
type Reviewer interface {
	Create(ctx context.Context, object client.Object, options ...client.CreateOption) error
}

// atMost lets so many reviews be under way at a time. The others wait for as long
// as their context lets them.
type atMost struct {
	Reviewer
	turns chan struct{}
}

func newAtMost(n int, reviews Reviewer) atMost { return atMost{reviews, make(chan struct{}, n)} }

func (a atMost) Create(ctx context.Context, object client.Object, options ...client.CreateOption) error {
	select {
	case a.turns <- struct{}{}:
		defer func() { <-a.turns }()
		return a.Reviewer.Create(ctx, object, options...)
	case <-ctx.Done():
		return ctx.Err()
	}
}
