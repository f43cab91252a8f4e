// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/api/admission"
	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest/apiserver"
)

// followedInterval is how often it is looked whether policies are followed.
const followedInterval = 100 * time.Millisecond

// applyPolicies about custom kinds, which a cluster has and the test server does not
// begin with, and return when they are followed: nobody is told when that is.
func (l *Lab) applyPolicies(ctx context.Context) error {
	files, err := fs.Glob(admission.Custom, "*.yaml")
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := apiserver.ApplyPolicies(ctx, l.Client, file); err != nil {
			return err
		}
	}
	ticker := time.NewTicker(followedInterval)
	defer ticker.Stop()
	for {
		offered := &slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Name: "offered", Namespace: metav1.NamespaceDefault}}
		offered.Spec.PodSets = []slipwayv1.PodSet{{Name: "worker", Count: 1}}
		err := l.Client.Create(ctx, offered, client.DryRunAll)
		if err == nil && len(offered.ManagedFields) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the policies to be followed: %w", errors.Join(context.Cause(ctx), err))
		case <-ticker.C:
		}
	}
}
