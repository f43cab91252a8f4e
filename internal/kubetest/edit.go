// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package kubetest

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Edit changes the object with the namespace and name of o as the API server has it, and
// leaves in o what became of it.
func Edit[T client.Object](t testing.TB, c client.Client, o T, change func(T)) {
	t.Helper()
	patch := begin(t, c, o, change)
	if err := c.Patch(t.Context(), o, patch); err != nil {
		t.Fatal(err)
	}
}

// EditStatus is Edit for the status.
func EditStatus[T client.Object](t testing.TB, c client.Client, o T, change func(T)) {
	t.Helper()
	patch := begin(t, c, o, change)
	if err := c.Status().Patch(t.Context(), o, patch); err != nil {
		t.Fatal(err)
	}
}

// begin changes o as it is now, and returns what is to be sent for that.
func begin[T client.Object](t testing.TB, c client.Client, o T, change func(T)) client.Patch {
	t.Helper()
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
		t.Fatal(err)
	}
	old := o.DeepCopyObject().(client.Object)
	change(o)
	return client.MergeFrom(old)
}
