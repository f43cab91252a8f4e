// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package house

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Lengths at which a file or a function is split. Good ones are far below:
// about 100 and 10.
const (
	maxFile     = 500
	maxFunction = 80
)

const licence = "// Copyright The Slipway Authors.\n// SPDX-License-Identifier: Apache-2.0\n\n"

// rules are those that a file keeps or breaks alone.
var rules = []struct {
	name  string
	check func(source) []string
}{
	{"licence header", header},
	{"finished words", finishedWords},
	{"length of files", lengthOfFile},
	{"length of functions", lengthOfFunctions},
	{"no init", noInit},
	{"no sleep", noSleep},
	{"decisions are pure", pure},
}

func TestEveryFile(t *testing.T) {
	sources := tree(t)
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			for _, s := range sources {
				report(t, rule.check(s))
			}
		})
	}
}

// header: a generated file may begin with the line of its generator.
func header(s source) []string {
	if strings.HasPrefix(s.text, licence) || s.generated() && strings.Contains(s.text, licence) {
		return nil
	}
	return []string{s.path + ":1: does not begin with the licence header and an empty line:\n" + licence}
}

// The words are written apart so that this file does not hold them.
var (
	unfinished = regexp.MustCompile(`\bTO` + `DO\b|\bFIX` + `ME\b|(?i:\bplace` + `holders?\b)`)
	postponed  = regexp.MustCompile(`(?i)\bfor` + `[\s/]+now\b`) // looked for in comments, where it is no loop
)

// finishedWords: what is not finished is an issue or is not there at all.
func finishedWords(s source) []string {
	found := unfinished.FindAllStringIndex(s.text, -1)
	for _, comment := range s.file.Comments {
		start, end := s.offset(comment.Pos()), s.offset(comment.End())
		for _, at := range postponed.FindAllStringIndex(s.text[start:end], -1) {
			found = append(found, []int{start + at[0], start + at[1]})
		}
	}
	var violations []string
	for _, at := range found {
		violations = append(violations, s.at(s.file.FileStart+token.Pos(at[0]),
			"says %q; finish it, or leave it out and open an issue", s.text[at[0]:at[1]]))
	}
	return violations
}

func lengthOfFile(s source) []string {
	if lines := strings.Count(s.text, "\n"); lines > maxFile && !s.generated() {
		return []string{s.at(s.file.FileEnd, "has %d lines, more than %d; split it by step or by noun", lines, maxFile)}
	}
	return nil
}

func lengthOfFunctions(s source) []string {
	if s.generated() {
		return nil
	}
	var violations []string
	for _, function := range functions(s) {
		lines := 1 + s.fset.Position(function.End()).Line - s.fset.Position(function.Pos()).Line
		if lines > maxFunction {
			violations = append(violations, s.at(function.Pos(), "%s has %d lines, more than %d; name its steps",
				function.Name.Name, lines, maxFunction))
		}
	}
	return violations
}

func noInit(s source) []string {
	var violations []string
	for _, function := range functions(s) {
		if function.Recv == nil && function.Name.Name == "init" {
			violations = append(violations, s.at(function.Pos(), "has an init function; let main or a constructor call it"))
		}
	}
	return violations
}

func noSleep(s source) []string {
	return uses(s, "time", []string{"Sleep"}, "nothing sleeps to wait: wait for the condition, or use testing/synctest")
}

// pure holds for placement and what runs time over it: what the law on imports cannot
// see.
func pure(s source) []string {
	if !under(s.folder(), "internal/placement", "internal/simulate") || s.isTest() {
		return nil
	}
	clock := []string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}
	violations := uses(s, "time", clock, "decisions are pure functions: take the time as an argument")
	ast.Inspect(s.file, func(node ast.Node) bool {
		if statement, is := node.(*ast.GoStmt); is {
			violations = append(violations, s.at(statement.Pos(), "starts a goroutine; decisions are pure functions"))
		}
		return true
	})
	return violations
}

func functions(s source) []*ast.FuncDecl {
	var found []*ast.FuncDecl
	for _, declaration := range s.file.Decls {
		if function, is := declaration.(*ast.FuncDecl); is {
			found = append(found, function)
		}
	}
	return found
}

// uses finds the names of a package wherever a file mentions them, called or not.
func uses(s source, imported string, names []string, words string) []string {
	var violations []string
	named := s.named()
	ast.Inspect(s.file, func(node ast.Node) bool {
		selector, is := node.(*ast.SelectorExpr)
		if !is || !slices.Contains(names, selector.Sel.Name) {
			return true
		}
		if from, is := selector.X.(*ast.Ident); is && named[from.Name] == imported {
			violations = append(violations, s.at(selector.Pos(), "uses %s.%s; %s", imported, selector.Sel.Name, words))
		}
		return true
	})
	return violations
}

func TestRules(t *testing.T) {
	todo, fixme, now := "TO"+"DO", "FIX"+"ME", "for"+" now"
	for _, c := range []struct {
		name  string
		check func(source) []string
		path  string
		text  string
		want  []int // lines with a violation
	}{
		{"header", header, "a.go", licence + "package a\n", nil},
		{"no header", header, "a.go", "package a\n", []int{1}},
		{"header as package comment", header, "a.go", strings.TrimSuffix(licence, "\n") + "package a\n", []int{1}},
		{"header not first", header, "a.go", "//go:build linux\n\n" + licence + "package a\n", []int{1}},
		{"header of a generated file", header, "a.go",
			"//go:build !x\n\n" + licence + "// Code generated by x. DO NOT EDIT.\n\npackage a\n", nil},
		{"generated without header", header, "a.go", "// Code generated by x. DO NOT EDIT.\n\npackage a\n", []int{1}},

		{"words", finishedWords, "a.go", "package a\n\n// " + todo + " b\n\n// " + fixme + "(me): c\n", []int{3, 5}},
		{"words in capitals", finishedWords, "a.go", "package a\n\n// PLACE" + "HOLDER\n\n// Enough " + strings.ToTitle(now) + "\n", []int{3, 5}},
		{"words over two lines", finishedWords, "a.go", "package a\n\n// enough for\n// now.\n", []int{3}},
		{"a call", finishedWords, "a.go", "package a\n\nvar c = context." + todo + "()\n", []int{3}},
		{"innocent words", finishedWords, "a.go", "package a\n\n// Before nowadays; todoist.\n", nil},
		{"a loop", finishedWords, "a.go", "package a\n\nfunc b() {\n\tfor now := 0; now < 9; now++ {\n\t}\n}\n", nil},

		{"file too long", lengthOfFile, "a.go", "package a\n" + strings.Repeat("\n", maxFile), []int{maxFile + 1}},
		{"file long enough", lengthOfFile, "a.go", "package a\n" + strings.Repeat("\n", maxFile-1), nil},
		{"generated file too long", lengthOfFile, "a.go",
			"// Code generated by x. DO NOT EDIT.\n\npackage a\n" + strings.Repeat("\n", maxFile), nil},
		{"function too long", lengthOfFunctions, "a.go", "package a\n\nfunc b() {" + strings.Repeat("\n", maxFunction) + "}\n", []int{3}},
		{"function long enough", lengthOfFunctions, "a.go", "package a\n\nfunc b() {" + strings.Repeat("\n", maxFunction-1) + "}\n", nil},

		{"init", noInit, "a.go", "package a\n\nfunc init() {}\n", []int{3}},
		{"init of a type", noInit, "a.go", "package a\n\ntype b int\n\nfunc (b) init() {}\n", nil},

		{"sleep", noSleep, "a.go", "package a\n\nimport \"time\"\n\nfunc b() { time.Sleep(1) }\n", []int{5}},
		{"sleep of another name", noSleep, "a.go", "package a\n\nimport clock \"time\"\n\nvar wait = clock.Sleep\n", []int{5}},
		{"sleep of another package", noSleep, "a.go", "package a\n\nimport \"example.org/time\"\n\nvar wait = time.Sleep\n", nil},

		{"clock", pure, "internal/placement/a.go", "package a\n\nimport \"time\"\n\nvar start = time.Now()\n", []int{5}},
		{"duration", pure, "internal/placement/a.go", "package a\n\nimport \"time\"\n\nvar day = 24 * time.Hour\n", nil},
		{"goroutine", pure, "internal/placement/tree/a.go", "package a\n\nfunc b() {\n\tgo b()\n}\n", []int{4}},
		{"clock elsewhere", pure, "internal/scheduler/a.go", "package a\n\nimport \"time\"\n\nvar start = time.Now()\n", nil},
		{"clock in a test", pure, "internal/placement/a_test.go", "package a\n\nimport \"time\"\n\nvar start = time.Now()\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, lines(t, c.check(mustParse(t, c.path, c.text)))); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

// lines are those that violations name.
func lines(t *testing.T, violations []string) []int {
	t.Helper()
	var found []int
	for _, violation := range violations {
		parts := strings.SplitN(violation, ":", 3)
		line, err := strconv.Atoi(parts[1])
		if err != nil {
			t.Fatalf("violation names no line: %s", violation)
		}
		found = append(found, line)
	}
	return found
}
