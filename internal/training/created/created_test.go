// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package created

import "testing"

func TestMessageIsReadBack(t *testing.T) {
	for _, why := range []string{"", "needs 2 GPUs, 1 is free", "Pod a is created. It waits: b"} {
		if got := Why(Message("PyTorchJob", "tiny", why)); got != why {
			t.Errorf("%q is read back as %q", why, got)
		}
	}
	// What clients have always shown.
	if got := Message("PyTorchJob", "tiny", ""); got != "PyTorchJob tiny is created." {
		t.Errorf("says %q", got)
	}
	if got := Why("something else"); got != "" {
		t.Errorf("reads %q from another message", got)
	}
}
