// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"fmt"
	"io"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"slipway.dev/slipway/internal/placement"
)

// outline is text in which what explains a line is indented below it.
type outline struct {
	lines []string
	depth int
}

func (o *outline) say(format string, args ...any) {
	text := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	o.lines = append(o.lines, strings.Repeat("  ", o.depth)+text)
}

// below says what explains the line before.
func (o *outline) below(say func()) {
	o.depth++
	say()
	o.depth--
}

// tree of reasons, without the remedies.
func (o *outline) tree(r *placement.Reason) {
	o.say("%s", r.Text)
	o.below(func() {
		for i := range r.Because {
			o.tree(&r.Because[i])
		}
	})
}

// remedies of a tree of reasons.
func remedies(r *placement.Reason) []string {
	if r == nil {
		return nil
	}
	var all []string
	if r.Remedy != "" {
		all = append(all, r.Remedy)
	}
	for i := range r.Because {
		all = append(all, remedies(&r.Because[i])...)
	}
	return all
}

func (o *outline) print(w io.Writer) error {
	_, err := fmt.Fprintln(w, strings.Join(o.lines, "\n"))
	return err
}

// some of a list: the first few, and how many more there are.
func some(list []string, most int) string {
	if more := len(list) - most; more > 0 {
		return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(list, ", ")
}

func (f *Facts) ago(t time.Time) string { return duration.HumanDuration(f.Now.Sub(t)) }

// moment as conditions write it, and how far away it is.
func (f *Facts) moment(t time.Time) string {
	text := t.UTC().Format(time.RFC3339)
	if in := t.Sub(f.Now); in > 0 {
		return text + " (in " + duration.HumanDuration(in) + ")"
	}
	return text + " (" + f.ago(t) + " ago)"
}
