// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestParseTicks(t *testing.T) {
	const rest = " S 1 2 3 4 5 6 7 8 9 10 300 40 17"
	for _, c := range []struct {
		name, stat string
		want       int64
		fails      bool
	}{
		{"plain", "7 (slipway-kube)" + rest, 340, false},
		{"a name like fields", "7 (a) S 1 (b c)" + rest, 340, false},
		{"empty", "", 0, true},
		{"cut off", "7 (slipway-kube) S 1 2", 0, true},
		{"no number", "7 (x) S 1 2 3 4 5 6 7 8 9 10 a 40", 0, true},
	} {
		got, err := parseTicks(c.stat)
		if (err != nil) != c.fails || !c.fails && got != c.want {
			t.Errorf("%s: parseTicks = %d, %v, want %d, an error: %t", c.name, got, err, c.want, c.fails)
		}
	}
}
