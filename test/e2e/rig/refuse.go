// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"strings"
	"testing"
)

// Refuses runs slipway, which must fail and say why in one line that holds each
// of some words.
func (c *Cluster) Refuses(t *testing.T, words []string, args ...string) {
	t.Helper()
	Refused(t, c.Run(t, args...), words...)
}

// Refused holds that a command failed and said why in one line that holds each
// of some words.
func Refused(t *testing.T, o Output, words ...string) {
	t.Helper()
	if o.Code == 0 || strings.Count(o.Stderr, "\n") != 1 || !strings.HasPrefix(o.Stderr, "slipway: ") {
		t.Errorf("it ended with code %d and said %q %q; want a failure, said in one line", o.Code, o.Stdout, o.Stderr)
	}
	for _, word := range words {
		if !strings.Contains(o.Stderr, word) {
			t.Errorf("it said %q; want %q in it", o.Stderr, word)
		}
	}
}
