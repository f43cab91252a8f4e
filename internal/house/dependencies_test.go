// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package house

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// goMod is what is read of "go mod edit -json".
type goMod struct {
	Require []struct {
		Path     string
		Indirect bool
	}
	Tool []struct{ Path string }
}

// TestDependenciesAreExplained: what go.mod asks for by name, docs/dependencies.md
// says the purpose of.
func TestDependenciesAreExplained(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, missing := range unexplained(readGoMod(t), string(page)) {
		t.Errorf("docs/dependencies.md has no `%s`; say what it is for and what was not chosen, or drop it from go.mod", missing)
	}
}

func readGoMod(t *testing.T) goMod {
	t.Helper()
	// Read here too, so that "go test" knows when its cached result is out of date.
	if _, err := os.ReadFile(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json")
	cmd.Dir = root
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("reading go.mod: %v", err)
	}
	var mod goMod
	if err := json.Unmarshal(output, &mod); err != nil {
		t.Fatalf("reading go.mod: %v", err)
	}
	return mod
}

// unexplained lists the direct requirements and tools that a page does not name
// in backquotes.
func unexplained(mod goMod, page string) []string {
	var names, missing []string
	for _, require := range mod.Require {
		if !require.Indirect {
			names = append(names, require.Path)
		}
	}
	for _, tool := range mod.Tool {
		names = append(names, tool.Path)
	}
	for _, name := range names {
		if !strings.Contains(page, "`"+name+"`") {
			missing = append(missing, name)
		}
	}
	return missing
}

func TestUnexplained(t *testing.T) {
	var mod goMod
	text := `{"Require": [{"Path": "a.org/known"}, {"Path": "a.org/new"}, {"Path": "a.org/deep", "Indirect": true}],
		"Tool": [{"Path": "a.org/known/cmd/x"}, {"Path": "a.org/known/cmd/y"}]}`
	if err := json.Unmarshal([]byte(text), &mod); err != nil {
		t.Fatal(err)
	}
	got := unexplained(mod, "| `a.org/known` | for `a.org/known/cmd/y` |")
	if diff := cmp.Diff([]string{"a.org/new", "a.org/known/cmd/x"}, got); diff != "" {
		t.Errorf("unexplained (-want +got):\n%s", diff)
	}
}
