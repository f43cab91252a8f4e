// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "testing"

func TestIsDevice(t *testing.T) {
	for resource, want := range map[string]bool{
		"nvidia.com/gpu":          true,
		"cpu":                     false,
		"hugepages-2Mi":           false,
		"kubernetes.io/batch-cpu": false,
		"node.kubernetes.io/x":    false,
		"deviceclass.resource.kubernetes.io/gpu.example.com": true,
	} {
		if got := IsDevice(resource); got != want {
			t.Errorf("%s: got %v, want %v", resource, got, want)
		}
	}
}
