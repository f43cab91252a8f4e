// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway.dev/slipway/internal/embedded/cluster"
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

// TestHelpHasOurFlagsAlone: not those that libraries of Kubernetes register for its own programs.
func TestHelpHasOurFlagsAlone(t *testing.T) {
	var out bytes.Buffer
	root := newRoot()
	root.SetArgs([]string{"up", "--help"})
	root.SetOut(&out)
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.Contains(text, "--data-dir") || strings.Contains(text, "--version") {
		t.Errorf("says\n%s", text)
	}
}

// TestNodeNames are completed, one for each verb.
func TestNodeNames(t *testing.T) {
	dir := t.TempDir()
	c := &cluster.Cluster{ID: cluster.IDOf(dir), DataDir: dir, RunDir: cluster.RunDirOf(dir), Nodes: []cluster.Node{{Name: "node-1"}, {Name: "gpu-1", Index: 1}}}
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]string{
		"node kill ":                 "node-1\ngpu-1\n:4\n",
		"node rm ":                   "node-1\ngpu-1\n:4\n",
		"node kill node-1 ":          ":4\n",
		"node kill --data-dir none ": ":4\n",
	} {
		var out bytes.Buffer
		root := newRoot()
		root.SetArgs(append([]string{"__complete", "--data-dir", dir}, strings.Split(typed, " ")...))
		root.SetOut(&out)
		root.SetErr(io.Discard)
		if err := root.ExecuteContext(t.Context()); err != nil {
			t.Errorf("%q: %v", typed, err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", typed, diff)
		}
	}
}
