// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	resourcev1 "k8s.io/api/resource/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// Slim makes a transform for the cache that keeps of devices and their claims what the
// scheduler decides from, for nobody else reads them: there is a slice for every node, and
// a claim for every pod. Other kinds are left to the transform that it is given. A transform
// for these kinds alone would need a cluster that serves them.
func Slim(others toolscache.TransformFunc) toolscache.TransformFunc {
	return func(o any) (any, error) {
		switch o := o.(type) {
		case *resourcev1.ResourceSlice:
			return snapshot.Pack(o), nil
		case *resourcev1.ResourceClaim, *resourcev1.ResourceClaimTemplate:
			return snapshot.Trim(o.(client.Object)), nil
		}
		return others(o)
	}
}
