// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package clip

import "testing"

func TestText(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"", 10, ""},
		{"short", 5, "short"},
		{"too long", 7, "too …"},
		{"ééééé", 8, "éé…"}, // the third would be cut in half
		{"ééééé", 10, "ééééé"},
	} {
		if got := Text(c.text, c.most); got != c.want || len(got) > c.most {
			t.Errorf("%q in %d bytes: %q, want %q", c.text, c.most, got, c.want)
		}
	}
}
