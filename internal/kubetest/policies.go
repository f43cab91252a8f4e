// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package kubetest

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/kubetest/apiserver"
)

// ApplyPolicies of a file of api/admission, as apiserver.ApplyPolicies does.
func ApplyPolicies(t testing.TB, c client.Client, file string) {
	t.Helper()
	if err := apiserver.ApplyPolicies(t.Context(), c, file); err != nil {
		t.Fatal(err)
	}
}
