// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the import path of the repository's root.
const module = "slipway.dev/slipway"

// root of the repository, seen from this package.
const root = "../.."

// source is one Go file of ours.
type source struct {
	path string // from the root, with slashes
	text string
	file *ast.File
	fset *token.FileSet
}

func (s source) folder() string           { return path.Dir(s.path) }
func (s source) isTest() bool             { return strings.HasSuffix(s.path, "_test.go") }
func (s source) offset(pos token.Pos) int { return s.fset.Position(pos).Offset }

func (s source) generated() bool { return ast.IsGenerated(s.file) }

// at says where something is, with what is wrong there.
func (s source) at(pos token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", s.path, s.fset.Position(pos).Line, fmt.Sprintf(format, args...))
}

// named returns the import path that each name in the file stands for.
func (s source) named() map[string]string {
	names := map[string]string{}
	for _, spec := range s.file.Imports {
		imported := importPath(spec)
		name := path.Base(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = imported
	}
	return names
}

func importPath(spec *ast.ImportSpec) string {
	unquoted, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return unquoted
}

func parse(name, text string) (source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	return source{name, text, file, fset}, err
}

// mustParse makes a source for the test of a checker; only what the checker
// looks at needs to be there.
func mustParse(t *testing.T, name, text string) source {
	t.Helper()
	s, err := parse(name, text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tree is every Go file of the repository. Files are read here and not by the
// go command so that "go test" knows when its cached result is out of date.
func tree(t *testing.T) []source {
	t.Helper()
	var sources []source
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != root && foreign(name):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(name) != ".go":
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		s, err := parse(filepath.ToSlash(below), string(text))
		sources = append(sources, s)
		return err
	})
	if err != nil {
		t.Fatalf("reading the tree: %v", err)
	}
	return sources
}

// foreign folders hold no source of ours.
func foreign(folder string) bool {
	base := filepath.Base(folder)
	return strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") ||
		slices.Contains([]string{"testdata", "vendor", "node_modules"}, base) ||
		folder == filepath.Join(root, "build")
}

// under says whether a path is one of the folders or below one.
func under(name string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		return folder == "" || name == folder || strings.HasPrefix(name, folder+"/")
	})
}

// report fails the test once for each violation.
func report(t *testing.T, violations []string) {
	t.Helper()
	for _, violation := range violations {
		t.Error(violation)
	}
}
