// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTakeDataDir(t *testing.T) {
	for in, want := range map[string][2]string{
		"kubectl get pods":                          {"", "kubectl get pods"},
		"kubectl --data-dir=/a get pods":            {"/a", "kubectl get pods"},
		"kubectl get --data-dir /a pods":            {"/a", "kubectl get pods"},
		"kubectl exec p -- ls --data-dir=/in/a/pod": {"", "kubectl exec p -- ls --data-dir=/in/a/pod"},
		"kubectl get --data-dir":                    {"", "kubectl get --data-dir"},
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

// TestChooseKubeconfig never leaves a command that changes something to whatever cluster the
// user's own kubeconfig names.
func TestChooseKubeconfig(t *testing.T) {
	made, none := t.TempDir(), t.TempDir()
	own := filepath.Join(made, "kubeconfig")
	if err := os.WriteFile(own, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args, dataDir, usual, variable string
		want                           string // KUBECONFIG then, or "fails"
	}{
		{"kubectl get pods", "", made, "", own},
		{"kubectl get pods", "", made, "/variable", "/variable"},
		{"kubectl get pods", made, none, "/variable", own},
		{"kubectl get pods", none, made, "/variable", "fails"},
		{"kubectl get pods", "", none, "", "fails"},
		{"kubectl get pods --kubeconfig k", "", none, "", ""},
		{"kubectl --kubeconfig=k get pods", made, none, "", ""},
		{"kubectl exec p -- kubectl --kubeconfig=k get pods", "", none, "", "fails"},
		{"kubectl exec p -- sh -h", "", none, "", "fails"},
		{"kubectl delete pod config", "", made, "", own},
		{"kubectl delete pod config", "", none, "", "fails"},
		{"kubectl version", "", none, "", ""},
		{"kubectl version", "", made, "", own},
		{"kubectl get --help", "", none, "", ""},
		{"kubectl --help", "", none, "", ""},
		{"kubectl", "", none, "", ""},
	} {
		t.Setenv("SLIPWAY_DATA_DIR", c.usual)
		t.Setenv("KUBECONFIG", c.variable)
		got := "fails"
		if err := chooseKubeconfig(c.dataDir, ours(strings.Fields(c.args))); err == nil {
			got = os.Getenv("KUBECONFIG")
		}
		if got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}
