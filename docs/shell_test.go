// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	block        = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	continuation = regexp.MustCompile(`\\\n\s*`)
	substitution = regexp.MustCompile(`\$\(([^)]*)\)`)
	// word, comment or separator of a shell's line, as far as pages need it.
	token = regexp.MustCompile(`#.*|[|;&]+|(?:"[^"]*"|'[^']*'|[^\s"'|;&])+`)
)

// shell lists the fenced blocks of a page that are marked as shell.
func shell(page string) []string {
	var found []string
	for _, match := range block.FindAllStringSubmatch(page, -1) {
		found = append(found, match[1])
	}
	return found
}

// calls lists the arguments of each call of a program in shell text.
func calls(text, name string) [][]string {
	var found [][]string
	for line := range strings.Lines(continuation.ReplaceAllString(text, "")) {
		for _, inner := range substitution.FindAllStringSubmatch(line, -1) {
			found = append(found, calls(inner[1], name)...)
		}
		found = append(found, callsOfLine(substitution.ReplaceAllString(line, "x"), name)...)
	}
	return found
}

func callsOfLine(line, name string) [][]string {
	var found [][]string
	first, inside := true, false
	for _, word := range token.FindAllString(line, -1) {
		switch {
		case strings.HasPrefix(word, "#"):
			return found
		case strings.ContainsAny(word[:1], "|;&"):
			first, inside = true, false
		case first && word == name:
			found, first, inside = append(found, nil), false, true
		case inside:
			found[len(found)-1] = append(found[len(found)-1], strings.Trim(word, `"'`))
		default:
			// What stands before a command's own name: sudo, A=b.
			first = first && (word == "sudo" || strings.Contains(word, "="))
		}
	}
	return found
}

func TestCalls(t *testing.T) {
	for _, c := range []struct {
		text string
		want [][]string
	}{
		{"p ps -A\n", [][]string{{"ps", "-A"}}},
		{"p up   # and p down\n# p no\np status\n", [][]string{{"up"}, {"status"}}},
		{"p train \\\n  --workers 2 -- x\n", [][]string{{"train", "--workers", "2", "--", "x"}}},
		{"A=b sudo p up && p ps | grep p; p down\n", [][]string{{"up"}, {"ps"}, {"down"}}},
		{"KEY=$(p key)\ncurl -H \"k: $(p key ci)\" p ps\n", [][]string{{"key"}, {"key", "ci"}}},
		{"p chat m \"a | p b\" 'c # d'\n", [][]string{{"chat", "m", "a | p b", "c # d"}}},
	} {
		if diff := cmp.Diff(c.want, calls(c.text, "p")); diff != "" {
			t.Errorf("calls of %q (-want +got):\n%s", c.text, diff)
		}
	}
}

func TestShell(t *testing.T) {
	page := "a\n```sh\none\n```\n```\ntwo\n```\n```yaml\nthree\n```\n```sh\nfour\n```\n"
	if diff := cmp.Diff([]string{"one\n", "four\n"}, shell(page)); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
}
