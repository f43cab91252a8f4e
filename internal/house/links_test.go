// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package house

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// servers is what only slipway-kube is linked with.
var servers = []string{
	"k8s.io/kubernetes",
	"k8s.io/apiserver/pkg/server",
	"k8s.io/kube-aggregator/pkg/apiserver",
	"k8s.io/apiextensions-apiserver/pkg/apiserver",
	"sigs.k8s.io/metrics-server",
	"go.etcd.io/etcd/server",
	"go.etcd.io/bbolt",
	"github.com/containerd/containerd",
	"github.com/opencontainers/runc",
	"github.com/coredns/coredns",
}

// clientSide is below those folders and yet no server: what a client of the
// TokenReview API (k8s.io/apiserver/pkg/authentication/authenticatorfactory) is
// linked with.
var clientSide = []string{
	"k8s.io/apiserver/pkg/server/dynamiccertificates",
	"k8s.io/apiserver/pkg/server/egressselector",
}

// linked is one package of a program, as "go list -deps -json" prints it.
type linked struct {
	ImportPath string
	Imports    []string
}

// TestPlatformLinksNoServer looks through everything that cmd/slipway is linked
// with, where the law on imports sees our own files only: a library may bring a
// server along.
func TestPlatformLinksNoServer(t *testing.T) {
	if _, err := os.Stat(filepath.Join(root, "cmd", "slipway")); errors.Is(err, os.ErrNotExist) {
		t.Skip("there is no cmd/slipway in this tree")
	}
	program := module + "/cmd/slipway"
	imports := list(t, program)
	for _, server := range slices.Concat(servers, []string{module + "/internal/embedded"}) {
		if chain := chainTo(imports, program, server, clientSide...); chain != nil {
			t.Errorf("cmd/slipway is linked with %s, which only slipway-kube may be:\n\t%s",
				chain[len(chain)-1], strings.Join(chain, "\n\timports "))
		}
	}
}

// list maps each package that a program is linked with to its imports.
func list(t *testing.T, program string) map[string][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports", program)
	cmd.Dir = root
	var complaints strings.Builder
	cmd.Stderr = &complaints
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("listing what %s is linked with: %v\n%s", program, err, &complaints)
	}
	imports := map[string][]string{}
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var p linked
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return imports
		} else if err != nil {
			t.Fatalf("reading the output of go list: %v", err)
		}
		imports[p.ImportPath] = p.Imports
	}
}

// chainTo is a shortest chain of imports from a program to a package that is
// the target or below it, or nil. It does not end in what is allowed.
func chainTo(imports map[string][]string, program, target string, allowed ...string) []string {
	seen := map[string]bool{program: true}
	for chains := [][]string{{program}}; len(chains) > 0; chains = chains[1:] {
		chain := chains[0]
		last := chain[len(chain)-1]
		if under(last, target) && !under(last, allowed...) {
			return chain
		}
		for _, next := range imports[last] {
			if !seen[next] {
				seen[next] = true
				chains = append(chains, append(slices.Clone(chain), next))
			}
		}
	}
	return nil
}

func TestChainTo(t *testing.T) {
	imports := map[string][]string{
		"main":      {"library", "long"},
		"long":      {"longer", "good/beyond"},
		"longer":    {"bad/inner"},
		"library":   {"bad/inner", "good/allowed", "main"},
		"bad/inner": nil,
		"badly":     nil,
	}
	for _, c := range []struct {
		target string
		want   []string
	}{
		{"good", []string{"main", "long", "good/beyond"}},
		{"bad", []string{"main", "library", "bad/inner"}},
		{"longer", []string{"main", "long", "longer"}},
		{"badly", nil},
		{"absent", nil},
	} {
		if diff := cmp.Diff(c.want, chainTo(imports, "main", c.target, "good/allowed")); diff != "" {
			t.Errorf("chain to %s (-want +got):\n%s", c.target, diff)
		}
	}
}
