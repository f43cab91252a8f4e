// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// TestAPIBookOfFieldsDoesNotGrow: what the API server notes of who wrote a Gang that somebody applies,
// for which it keeps book, is compared and stored again with each write. So it says no more of a large
// Gang than of a small one.
func TestAPIBookOfFieldsDoesNotGrow(t *testing.T) {
	r := newRig(t)
	r.node("n1", 8, 4)
	r.must(r.client.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(appliedGang(r.ns, "g")), client.FieldOwner("tool")))
	of := map[string]string{}
	for _, entry := range r.await("g", "Placed").ManagedFields {
		of[entry.Subresource] = entry.FieldsV1.GetRawString()
	}
	if of[""] != `{"f:spec":{}}` || of["status"] != `{"f:status":{}}` {
		t.Errorf("fields by subresource: %v", of)
	}
}

func appliedGang(namespace, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": slipwayv1.GroupVersion.String(), "kind": "Gang", "metadata": map[string]any{"name": name, "namespace": namespace},
		"spec": map[string]any{"podSets": []any{map[string]any{"name": "worker", "count": int64(1)}}},
	}}
}
