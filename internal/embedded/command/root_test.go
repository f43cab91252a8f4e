// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"io"
	"strings"
	"testing"
)

// TestUnknownVerbs fail, and name what was meant.
func TestUnknownVerbs(t *testing.T) {
	for args, want := range map[string]string{
		"node remove node-1":         `there is no command "remove"; did you mean: slipway node rm`,
		"node lst":                   `there is no command "lst"; did you mean: slipway node ls`,
		"image delete i":             `there is no command "delete"; did you mean: slipway image rm`,
		"image frobnicate":           `there is no command "frobnicate"; see: slipway image --help`,
		"--data-dir d kubectl get p": "flags of kubectl belong behind its name, as in: slipway kubectl --data-dir D get nodes",
		"node":                       "",
	} {
		root := newRoot()
		root.SetArgs(strings.Fields(args))
		root.SetOut(io.Discard)
		got := ""
		if err := root.ExecuteContext(t.Context()); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: says %q, want %q", args, got, want)
		}
	}
}
