// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"slices"
	"strings"
	"testing"
)

func TestTakeDataDir(t *testing.T) {
	t.Setenv("SLIPWAY_DATA_DIR", "/default")
	for in, want := range map[string][2]string{
		"kubectl get pods":                          {"/default", "kubectl get pods"},
		"kubectl --data-dir=/a get pods":            {"/a", "kubectl get pods"},
		"kubectl get --data-dir /a pods":            {"/a", "kubectl get pods"},
		"kubectl exec p -- ls --data-dir=/in/a/pod": {"/default", "kubectl exec p -- ls --data-dir=/in/a/pod"},
		"kubectl get --data-dir":                    {"/default", "kubectl get --data-dir"},
	} {
		args := strings.Fields(in)
		before := slices.Clone(args)
		dir, rest := takeDataDir(args)
		if dir != want[0] || strings.Join(rest, " ") != want[1] {
			t.Errorf("takeDataDir(%q) = %q, %q, want %q, %q", in, dir, strings.Join(rest, " "), want[0], want[1])
		}
		if !slices.Equal(args, before) {
			t.Errorf("takeDataDir(%q) changed its argument to %q", in, args)
		}
	}
}
