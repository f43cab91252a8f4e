// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"testing"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// TestNodesLeaveOutHoles: an elastic gang runs without some of its pods, on no node.
func TestNodesLeaveOutHoles(t *testing.T) {
	got := nodes([]slipwayv1.PodSetPlacement{{Name: "w", Slots: []slipwayv1.Slot{{Node: "a", Count: 2}, {Count: 3}, {Node: "b", Count: 1}}}})
	if want := "a (2 pods), b (1 pod)"; got != want {
		t.Errorf("on %s, want %s", got, want)
	}
}
