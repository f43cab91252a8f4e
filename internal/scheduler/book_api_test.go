// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import "testing"

// TestAPIKeepsNoBookOfFields: what the API server notes of who wrote a Gang is compared and
// stored again with each write, so it must not grow with the Gang.
func TestAPIKeepsNoBookOfFields(t *testing.T) {
	r := newRig(t)
	r.node("n1", 8, 4)
	r.gang("g", 2, 1)
	of := map[string]string{}
	for _, entry := range r.await("g", "Placed").ManagedFields {
		of[entry.Subresource] = entry.FieldsV1.GetRawString()
	}
	if of[""] != `{"f:spec":{}}` || of["status"] != `{"f:status":{}}` {
		t.Errorf("fields by subresource: %v", of)
	}
}
