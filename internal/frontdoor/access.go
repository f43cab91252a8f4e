// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"context"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

const (
	// maxGrants are remembered.
	maxGrants = 16384
	// keepGrant is how long a permission that was taken back may still hold.
	keepGrant = 10 * time.Second
	// keepDenial is how long one that was given may not be seen.
	keepDenial = 2 * time.Second
)

// access tells which Models a key may use.
type access struct {
	reviews Reviewer
	known   *memory[bool]
}

func newAccess(reviews Reviewer) *access {
	return &access{newAtMost(maxReviews, reviews), newMemory[bool](maxGrants)}
}

// may says whether the key may use a Model; without a name every Model of the
// namespace, and without a namespace every Model.
func (a *access) may(ctx context.Context, who *identity, model types.NamespacedName) (bool, error) {
	allowed, err := a.known.get(ctx, who.hash+model.String(), func(ctx context.Context) (bool, time.Duration, error) {
		return a.review(ctx, who, model)
	})
	if err != nil {
		return false, unavailable(time.Second, "the key's permissions cannot be checked because the API server does not answer; try again")
	}
	return allowed, nil
}

func (a *access) review(ctx context.Context, who *identity, model types.NamespacedName) (bool, time.Duration, error) {
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:   who.user.Username,
		UID:    who.user.UID,
		Groups: who.user.Groups,
		Extra:  map[string]authorizationv1.ExtraValue{},
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: "use", Group: slipwayv1.GroupVersion.Group, Version: slipwayv1.GroupVersion.Version, Resource: "models",
			Namespace: model.Namespace, Name: model.Name,
		},
	}}
	for key, values := range who.user.Extra {
		review.Spec.Extra[key] = authorizationv1.ExtraValue(values)
	}
	if err := a.reviews.Create(ctx, review); err != nil {
		return false, 0, err
	}
	if review.Status.Allowed && !review.Status.Denied {
		return true, keepGrant, nil
	}
	return false, keepDenial, nil
}
