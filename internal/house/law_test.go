// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package house

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// edge forbids imports. Rooms are folders of ours and stand for all below them;
// imports are import paths, "./" standing for our module, and stand for all
// below them too. Tests are not bound: they may stand on anything.
type edge struct {
	words  string
	rooms  []string
	except []string // rooms that are not bound
	never  []string // imports
	unless []string // imports that are all right
}

var everything = []string{""}

// law is the dependency law, from the top of the house to the bottom.
var law = append([]edge{
	{
		words: "a room knows only the rooms below it: nothing is above cli but main",
		rooms: []string{"internal"}, except: []string{"internal/cli"},
		never: []string{"./internal/cli"},
	},
	{
		words: "a room knows only the rooms below it: platform wires the others and is started by cli",
		rooms: []string{"internal"}, except: []string{"internal/cli", "internal/platform"},
		never: []string{"./internal/platform"},
	},
	{
		words:  "placement imports nothing of Kubernetes and no room of ours",
		rooms:  []string{"internal/placement"},
		never:  []string{"k8s.io", "sigs.k8s.io", "./"},
		unless: []string{"./internal/placement"},
	},
	{
		words:  "simulate runs time over placement alone: nothing of Kubernetes, no other room of ours",
		rooms:  []string{"internal/simulate"},
		never:  []string{"k8s.io", "sigs.k8s.io", "./"},
		unless: []string{"./internal/placement", "./internal/simulate"},
	},
	{
		words: "decisions are pure functions: no I/O inside",
		rooms: []string{"internal/placement", "internal/simulate"},
		never: []string{"os", "io", "net", "log", "syscall", "context", "database"},
	},
	{
		words: "podset says what templates ask for, whoever asks: it knows no room above, and of those below whether a namespace ends",
		rooms: []string{"internal/podset"},
		never: []string{"./internal"}, unless: []string{"./internal/podset", "./internal/namespace"},
	},
	{
		words: "namespace is asked by controllers: it knows none of them",
		rooms: []string{"internal/namespace"},
		never: []string{"./internal"},
	},
	{
		words: "api imports nothing internal: other people's programs import it",
		rooms: []string{"api"},
		never: []string{"./internal"},
	},
	{
		words: "the embedded Kubernetes is a program of its own: only slipway-kube is made of it",
		rooms: everything, except: []string{"cmd/slipway-kube", "internal/embedded", "test"},
		never: []string{"./internal/embedded"},
	},
	{
		words: "the platform links client libraries only; Kubernetes' servers, etcd and containerd belong to internal/embedded",
		rooms: everything, except: []string{"cmd/slipway-kube", "internal/embedded", "test"},
		never: servers, unless: clientSide,
	},
}, apart("the front door and the controllers meet only through objects in the API server",
	"internal/frontdoor", "internal/training", "internal/batch", "internal/scheduler", "internal/serving")...)

// apart keeps each of the rooms from importing any other of them.
func apart(words string, rooms ...string) []edge {
	var edges []edge
	for i, room := range rooms {
		var others []string
		for _, other := range slices.Concat(rooms[:i], rooms[i+1:]) {
			others = append(others, "./"+other)
		}
		edges = append(edges, edge{words: words, rooms: []string{room}, never: others})
	}
	return edges
}

// broken lists the imports of a file that the edge forbids.
func (e edge) broken(s source) []string {
	if s.isTest() || !under(s.folder(), e.rooms...) || under(s.folder(), e.except...) {
		return nil
	}
	var violations []string
	for _, spec := range s.file.Imports {
		imported := importPath(spec)
		if matches(imported, e.never) && !matches(imported, e.unless) {
			violations = append(violations, s.at(spec.Pos(), "imports %s; %s", imported, e.words))
		}
	}
	return violations
}

// matches says whether an import path is one of those of the table.
func matches(imported string, table []string) bool {
	return slices.ContainsFunc(table, func(entry string) bool {
		if below, ours := strings.CutPrefix(entry, "./"); ours {
			entry = strings.TrimSuffix(module+"/"+below, "/")
		}
		return under(imported, entry)
	})
}

// TestLawIsAboutRoomsThatExist: a rule for a room that is gone guards nothing.
func TestLawIsAboutRoomsThatExist(t *testing.T) {
	for _, edge := range law {
		for _, room := range slices.Concat(edge.rooms, edge.except) {
			if info, err := os.Stat(filepath.Join(root, room)); err != nil || !info.IsDir() {
				t.Errorf("%q is about %s, which is no room: %v", edge.words, room, err)
			}
		}
	}
}

func TestLaw(t *testing.T) {
	for _, s := range tree(t) {
		for _, edge := range law {
			report(t, edge.broken(s))
		}
	}
}

// TestLawForbids tries the table itself: one import that each edge must refuse
// and its nearest neighbour that it must allow.
func TestLawForbids(t *testing.T) {
	for _, c := range []struct {
		file, imports string
		want          int // edges broken
	}{
		{"internal/training/a.go", "slipway.dev/slipway/internal/cli", 1},
		{"internal/bench/a.go", "slipway.dev/slipway/internal/platform", 1},
		{"internal/cli/a.go", "slipway.dev/slipway/internal/platform", 0},
		{"cmd/slipway/main.go", "slipway.dev/slipway/internal/cli", 0},
		{"internal/cli/deploy/a.go", "slipway.dev/slipway/internal/cli/output", 0},
		{"internal/platform/a.go", "slipway.dev/slipway/internal/training", 0},
		{"internal/platform/a.go", "slipway.dev/slipway/internal/cli", 1},

		{"internal/frontdoor/a.go", "slipway.dev/slipway/internal/serving", 1},
		{"internal/serving/engines/a.go", "slipway.dev/slipway/internal/frontdoor", 1},
		{"internal/training/a.go", "slipway.dev/slipway/internal/scheduler", 1},
		{"internal/training/a.go", "slipway.dev/slipway/internal/training/frameworks", 0},
		{"internal/training/frameworks/a.go", "slipway.dev/slipway/internal/training", 0},
		{"internal/scheduler/a.go", "slipway.dev/slipway/internal/placement", 0},
		{"internal/training/a.go", "slipway.dev/slipway/api/v1alpha1", 0},

		{"internal/placement/a.go", "slipway.dev/slipway/internal/scheduler", 1},
		{"internal/placement/a.go", "slipway.dev/slipway/api/v1alpha1", 1},
		{"internal/placement/a.go", "slipway.dev/slipway/internal/placement/topology", 0},
		{"internal/placement/a.go", "k8s.io/apimachinery/pkg/apis/meta/v1", 1},
		{"internal/placement/a.go", "k8s.io/client-go/tools/cache", 1},
		{"internal/placement/a.go", "sigs.k8s.io/controller-runtime", 1},
		{"internal/placement/a.go", "k8s.io/apimachinery/pkg/api/resource", 1},
		{"internal/placement/a.go", "k8s.io/api/core/v1", 1},
		{"internal/placement/a_test.go", "k8s.io/apimachinery/pkg/api/resource", 0},
		{"internal/placement/a.go", "net/http", 1},
		{"internal/placement/a.go", "slices", 0},
		{"internal/placement/a_test.go", "os", 0},

		{"internal/simulate/a.go", "slipway.dev/slipway/internal/placement", 0},
		{"internal/simulate/trace/a.go", "slipway.dev/slipway/internal/simulate", 0},
		{"internal/simulate/a.go", "slipway.dev/slipway/internal/scheduler", 1},
		{"internal/simulate/a.go", "k8s.io/api/core/v1", 1},
		{"internal/simulate/trace/a.go", "os", 1},
		{"internal/placement/a.go", "slipway.dev/slipway/internal/simulate", 1},

		{"api/v1alpha1/a.go", "slipway.dev/slipway/internal/placement", 1},
		{"api/v1alpha1/a.go", "k8s.io/api/core/v1", 0},

		{"internal/cli/a.go", "slipway.dev/slipway/internal/embedded/cluster", 1},
		{"internal/embedded/boot/a.go", "slipway.dev/slipway/internal/embedded/cluster", 0},
		{"cmd/slipway-kube/main.go", "slipway.dev/slipway/internal/embedded/command", 0},
		{"internal/embedded/a.go", "slipway.dev/slipway/internal/embeddedness", 0},
		{"internal/embeddedness/a.go", "slipway.dev/slipway/internal/embedded", 1},
		{"api/v1alpha1/a_test.go", "slipway.dev/slipway/internal/embedded/apiserver", 0},
		{"test/e2e/a.go", "slipway.dev/slipway/internal/embedded/cluster", 0},

		{"internal/cli/a.go", "k8s.io/kubernetes/pkg/kubelet", 1},
		{"internal/cli/a.go", "github.com/containerd/containerd/v2/client", 1},
		{"internal/platform/a.go", "go.etcd.io/etcd/server/v3/embed", 1},
		{"internal/frontdoor/a.go", "k8s.io/apiserver/pkg/server/options", 1},
		{"internal/frontdoor/a.go", "k8s.io/apiserver/pkg/server/dynamiccertificates", 0},
		{"internal/embedded/node/a.go", "k8s.io/kubernetes/cmd/kubelet/app", 0},
		{"internal/training/a.go", "k8s.io/client-go/rest", 0},
	} {
		s := mustParse(t, c.file, "package a\nimport _ \""+c.imports+"\"\n")
		var got []string
		for _, edge := range law {
			got = append(got, edge.broken(s)...)
		}
		if len(got) != c.want {
			t.Errorf("%s importing %s: want %d edges broken, got %q", c.file, c.imports, c.want, got)
		}
	}
}

func TestLawSaysWhereAndWhy(t *testing.T) {
	s := mustParse(t, "internal/cli/up.go", "package cli\n\nimport \"slipway.dev/slipway/internal/embedded\"\n")
	var got []string
	for _, edge := range law {
		got = append(got, edge.broken(s)...)
	}
	want := []string{"internal/cli/up.go:3: imports slipway.dev/slipway/internal/embedded; " +
		"the embedded Kubernetes is a program of its own: only slipway-kube is made of it"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
