// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages that people read, from the root of the repository.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*/*.md"} {
		paths, err := filepath.Glob(filepath.Join("..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found[path] = string(text)
		}
	}
	return found
}

func TestCommandLines(t *testing.T) {
	p := program{t: t, answers: map[string]answer{}}
	lines := 0
	for path, text := range pages(t) {
		for _, block := range shell(text) {
			for _, words := range calls(block, "slipway") {
				lines++
				for _, problem := range p.problems(words) {
					t.Errorf("%s: slipway %s: %s", path, strings.Join(words, " "), problem)
				}
			}
		}
	}
	if lines == 0 {
		t.Error("no page shows a command line of slipway; the test looks at nothing")
	}
}

// TestProblems tries the check itself on lines that it must refuse, and on
// their nearest neighbours that it must not.
func TestProblems(t *testing.T) {
	p := program{t: t, answers: map[string]answer{}}
	for line, want := range map[string]int{
		"slipway launch":                              1,
		"slipway ps --everywhere":                     1,
		"slipway ps --all":                            1, // a beginning of --all-namespaces
		"slipway ps -A --watch":                       0,
		"slipway node restart node-1":                 1,
		"slipway node add node-1 --data-dir /d":       0,
		"slipway key revoke ci --duration 7d":         1,
		"slipway key ci --duration 7d":                0,
		"slipway train x --image=i -- x --anything":   0,
		"slipway train x --img=i":                     1,
		"slipway kubectl fetch pods":                  1,
		"slipway kubectl get pods -o wide -n x":       0,
		"slipway kubectl get pods --no-such-flag":     1,
		"slipway kubectl create role r --verb get":    0,
		"slipway kubectl create role r --clusterrole": 1,
		"slipway logs -z tiny":                        1,
		"slipway logs -f tiny":                        0,
		"slipway up --detach --nodes 3 --api-port 1":  0,
		"slipway up --attach":                         1,
	} {
		for _, words := range calls(line, "slipway") {
			if got := p.problems(words); len(got) != want {
				t.Errorf("%s: %d problems, want %d: %q", line, len(got), want, got)
			}
		}
	}
}

// program answers what the command line of slipway takes.
type program struct {
	t       *testing.T
	answers map[string]answer
}

// answer to a request for help.
type answer struct {
	text string
	ok   bool
}

// problems of a command line, given without its first word.
func (p program) problems(words []string) []string {
	if end := slices.Index(words, "--"); end >= 0 {
		words = words[:end]
	}
	if len(words) == 0 || strings.HasPrefix(words[0], "-") {
		return []string{"begins with no verb"}
	}
	help, ok := p.help(words)
	if !ok {
		return []string{"there is no such verb"}
	}
	var problems []string
	for _, word := range words {
		flag, _, _ := strings.Cut(word, "=")
		if strings.HasPrefix(flag, "-") && flag != "-" && !takes(help, flag) {
			problems = append(problems, "there is no flag "+flag)
		}
	}
	return problems
}

// help of the verb, or the verb below the verb, that a command line names.
func (p program) help(words []string) (string, bool) {
	verb, second := words[0], ""
	if len(words) > 1 && !strings.HasPrefix(words[1], "-") {
		second = words[1]
	}
	if verb == "kubectl" {
		help, options := p.ask(verb, second, "--help"), p.ask(verb, "options")
		if len(words) > 2 && has(help.text, `(?m)^  `+regexp.QuoteMeta(words[2])+`  `) {
			help = p.ask(verb, second, words[2], "--help")
		}
		return help.text + options.text, help.ok
	}
	usage, help := "Usage:\n  slipway "+verb, p.ask(verb, "--help")
	switch {
	case !strings.Contains(help.text, usage):
		return "", false
	case second != "" && has(help.text, `(?m)^  `+regexp.QuoteMeta(second)+`  `):
		help = p.ask(verb, second, "--help")
	case strings.Contains(help.text, usage+" [command]"), second != "" && strings.Contains(help.text, usage+" [flags]\n  slipway "+verb+" [command]"):
		return "", false // a verb that does nothing without another
	}
	return help.text, help.ok
}

// ask runs slipway once for each question.
func (p program) ask(words ...string) answer {
	p.t.Helper()
	key := strings.Join(words, " ")
	if known, asked := p.answers[key]; asked {
		return known
	}
	const folder = "../build/bin"
	for _, name := range []string{"slipway", "slipway-kube"} {
		// Looked at here too, so that "go test" knows when its cached result is out of date.
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			p.t.Fatalf("%v; make it with \"make build\"", err)
		}
	}
	words = slices.DeleteFunc(words, func(word string) bool { return word == "" })
	output, err := exec.CommandContext(p.t.Context(), filepath.Join(folder, "slipway"), words...).CombinedOutput()
	p.answers[key] = answer{text: string(output), ok: err == nil}
	return p.answers[key]
}

// takes says whether a help text lists a flag.
func takes(help, flag string) bool {
	return has(help, `(?m)^ +(-\w, )?`+regexp.QuoteMeta(flag)+`([ ,=\[:]|$)`)
}

func has(text, pattern string) bool { return regexp.MustCompile(pattern).MatchString(text) }
