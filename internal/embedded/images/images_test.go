// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package images

import "testing"

func TestQualified(t *testing.T) {
	for in, want := range map[string]string{
		"latest":                   "",
		"":                         "",
		"busybox:1":                "docker.io/library/busybox:1",
		"me/app:2":                 "docker.io/me/app:2",
		"slipway.local/tinylm:dev": "slipway.local/tinylm:dev",
		"localhost/app:1":          "localhost/app:1",
		"registry:5000/app:1":      "registry:5000/app:1",
	} {
		if got := qualified(in); got != want {
			t.Errorf("qualified(%q) = %q, want %q", in, got, want)
		}
	}
}
