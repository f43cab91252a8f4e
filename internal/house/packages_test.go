// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package house

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// minWords make about two lines: fewer do not tell a newcomer what a package is.
const minWords = 10

func TestPackageComments(t *testing.T) { report(t, uncommented(tree(t))) }

func TestImportAliases(t *testing.T) { report(t, misnamed(tree(t))) }

// uncommented lists the folders in which no file has a package comment of a
// whole sentence. The comment of a program may begin as it likes; that of a
// package begins "Package name", as go doc expects.
func uncommented(sources []source) []string {
	commented := map[string]bool{}
	for _, s := range sources {
		comment := s.file.Doc.Text()
		name := strings.TrimSuffix(s.file.Name.Name, "_test")
		begins := name == "main" || strings.HasPrefix(comment, "Package "+name+" ")
		whole := len(strings.Fields(comment)) >= minWords && strings.Contains(comment, ".")
		commented[s.folder()] = commented[s.folder()] || begins && whole
	}
	var violations []string
	for _, folder := range slices.Sorted(maps.Keys(commented)) {
		if !commented[folder] {
			violations = append(violations, fmt.Sprintf(
				"%s: has no package comment of %d words or more; say in doc.go what it is for and how it fits", folder, minWords))
		}
	}
	return violations
}

// aliases are the names that some packages always have.
var aliases = map[string]string{
	"k8s.io/apimachinery/pkg/apis/meta/v1":                           "metav1",
	"k8s.io/apimachinery/pkg/api/errors":                             "apierrors",
	"sigs.k8s.io/controller-runtime":                                 "ctrl",
	"slipway.dev/slipway/api/v1alpha1":                               "slipwayv1",
	"github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1": "kubeflowv1",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1":       "apiextensionsv1",
}

// kubernetesKinds are imported as group and version: corev1, rbacv1, appsv1.
var kubernetesKinds = regexp.MustCompile(`^k8s\.io/api/(\w+)/(v\w+)$`)

// misnamed lists imports whose name is not that of the table, and packages that
// files of ours import under several names.
func misnamed(sources []source) []string {
	var violations []string
	for imported, places := range importNames(sources) {
		want := alias(imported)
		for _, name := range slices.Sorted(maps.Keys(places)) {
			switch where := strings.Join(places[name], ", "); {
			case want != "" && name != want:
				violations = append(violations, fmt.Sprintf("%s: imports %s %s; it is always %s", where, imported, as(name), want))
			case want == "" && len(places) > 1:
				violations = append(violations, fmt.Sprintf("%s: imports %s %s, others otherwise; choose one name", where, imported, as(name)))
			}
		}
	}
	slices.Sort(violations)
	return violations
}

// importNames finds, for each package that is not of the standard library, the
// places where it is imported under each name, "" being its own.
func importNames(sources []source) map[string]map[string][]string {
	found := map[string]map[string][]string{}
	for _, s := range sources {
		for _, spec := range s.file.Imports {
			imported, name := importPath(spec), ""
			if spec.Name != nil {
				name = spec.Name.Name
			}
			if name == "_" || s.generated() || !strings.Contains(imported, ".") {
				continue
			}
			if found[imported] == nil {
				found[imported] = map[string][]string{}
			}
			place := fmt.Sprintf("%s:%d", s.path, s.fset.Position(spec.Pos()).Line)
			found[imported][name] = append(found[imported][name], place)
		}
	}
	return found
}

func as(name string) string {
	if name == "" {
		return "under its own name"
	}
	return "as " + name
}

func alias(imported string) string {
	if kind := kubernetesKinds.FindStringSubmatch(imported); kind != nil {
		return kind[1] + kind[2]
	}
	return aliases[imported]
}

func TestUncommented(t *testing.T) {
	sentence := " holds what this test needs, which is ten words at the least.\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  int
	}{
		{"in any file", map[string]string{"a/a.go": "package a\n", "a/b.go": "// Package a" + sentence + "package a\n"}, 0},
		{"in none", map[string]string{"a/a.go": "package a\n", "b/b.go": "// Package b" + sentence + "package b\n"}, 1},
		{"of another name", map[string]string{"a/a.go": "// Package b" + sentence + "package a\n"}, 1},
		{"too short", map[string]string{"a/a.go": "// Package a is a.\npackage a\n"}, 1},
		{"the licence alone", map[string]string{"a/a.go": licence + "package a\n"}, 1},
		{"the licence attached", map[string]string{"a/a.go": strings.TrimSpace(licence) + "\npackage a\n"}, 1},
		{"a program", map[string]string{"a/a.go": "// Slipway" + sentence + "package main\n"}, 0},
		{"a program without", map[string]string{"a/a.go": "package main\n"}, 1},
		{"tests alone", map[string]string{"a/a_test.go": "// Package a" + sentence + "package a_test\n"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sources []source
			for name, text := range c.files {
				sources = append(sources, mustParse(t, name, text))
			}
			if got := uncommented(sources); len(got) != c.want {
				t.Errorf("want %d violations, got %q", c.want, got)
			}
		})
	}
}

func TestMisnamed(t *testing.T) {
	for _, c := range []struct {
		name    string
		imports []string // one file each
		want    []string
	}{
		{"names of the table", []string{
			`metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"`, `corev1 "k8s.io/api/core/v1"`,
			`rbacv1 "k8s.io/api/rbac/v1"`, `ctrl "sigs.k8s.io/controller-runtime"`,
		}, nil},
		{"another name", []string{`core "k8s.io/api/core/v1"`},
			[]string{"f0.go:2: imports k8s.io/api/core/v1 as core; it is always corev1"}},
		{"no name", []string{`"sigs.k8s.io/controller-runtime"`},
			[]string{"f0.go:2: imports sigs.k8s.io/controller-runtime under its own name; it is always ctrl"}},
		{"files disagree", []string{`"example.org/x"`, `y "example.org/x"`, `y "example.org/x"`}, []string{
			"f0.go:2: imports example.org/x under its own name, others otherwise; choose one name",
			"f1.go:2, f2.go:2: imports example.org/x as y, others otherwise; choose one name",
		}},
		{"files agree", []string{`y "example.org/x"`, `y "example.org/x"`, `_ "example.org/x"`}, nil},
		{"the standard library", []string{`goruntime "runtime"`, `"runtime"`}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sources []source
			for i, spec := range c.imports {
				sources = append(sources, mustParse(t, fmt.Sprintf("f%d.go", i), "package a\nimport "+spec+"\n"))
			}
			if diff := cmp.Diff(c.want, misnamed(sources)); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}
