// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package kubetest

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Node makes a node with the status and the taints that it has here, and with no other. It
// is gone after the test.
func Node(t testing.TB, c client.Client, n *corev1.Node) {
	t.Helper()
	status, taints := n.Status, n.Spec.Taints
	if err := c.Create(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Delete(context.Background(), n) })
	// Admission taints every new node as not ready; nobody is here to take that back.
	n.Spec.Taints = taints
	if err := c.Update(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	n.Status = status
	if err := c.Status().Update(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}
