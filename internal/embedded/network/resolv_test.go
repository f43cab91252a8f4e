// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package network

import "testing"

func TestWithoutLoopback(t *testing.T) {
	for in, want := range map[string]string{
		"nameserver 127.0.0.53\nsearch a b\n":                     "search a b\n",
		"# made by hand\nnameserver 10.0.0.2\nnameserver ::1\n":   "nameserver 10.0.0.2\n",
		"nameserver not-an-address\noptions  ndots:2 timeout:1\n": "options ndots:2 timeout:1\n",
		"nameserver fe80::1\n\n":                                  "nameserver fe80::1\n",
		"":                                                        "",
	} {
		if got := string(withoutLoopback([]byte(in))); got != want {
			t.Errorf("withoutLoopback(%q) = %q, want %q", in, got, want)
		}
	}
}
