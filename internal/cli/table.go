// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/duration"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/workload"
	"slipway.dev/slipway/internal/scheduler"
)

// line of the list of workloads.
type line struct {
	namespace, name, kind, project, status, pods, age, nodes, url, reason string
}

func (l listing) row(w workload.Workload, now time.Time) line {
	state := w.State()
	row := line{
		namespace: w.Object.GetNamespace(), name: w.Object.GetName(), kind: w.Kind.Title,
		project: cmp.Or(slipwayv1.ProjectOf(w.Object.GetLabels()), l.projects[w.Object.GetNamespace()]),
		status:  state.Status, pods: fmt.Sprintf("%d/%d", state.Running, state.Total),
		age: duration.HumanDuration(now.Sub(w.Object.GetCreationTimestamp().Time)), nodes: nodes(w), reason: scheduler.AsOf(state.Reason, w.Promise(), now),
	}
	if state.Ended && state.Running == 0 {
		row.pods = "" // Those that ran once are no more to count than those that never did.
	}
	if model, is := w.Object.(*slipwayv1.Model); is {
		row.url = model.Status.URL
	}
	return row
}

// gone is the line of a workload that was deleted.
func (l line) gone() line {
	return line{namespace: l.namespace, name: l.name, kind: l.kind, project: l.project, status: "Deleted"}
}

// nodes on which its pods are, the first three by name.
func nodes(w workload.Workload) string {
	var names []string
	for _, pod := range w.Pods {
		if pod.Spec.NodeName != "" {
			names = append(names, pod.Spec.NodeName)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > 3 {
		names = append(names[:3], fmt.Sprintf("%d more", len(names)-3))
	}
	return strings.Join(names, ",")
}

// table aligns lines. The reason is last because it is long.
type table struct {
	namespaces, wide bool
	// fixed widths let lines that are printed later align with earlier ones.
	fixed   bool
	widths  []int
	started bool
	lines   []line
}

func (l listing) table() *table {
	return &table{namespaces: l.everywhere, wide: l.format == "wide"}
}

func (t *table) add(l line) { t.lines = append(t.lines, l) }

func (t *table) cells(l line) []string {
	var cells []string
	if t.namespaces {
		cells = append(cells, l.namespace)
	}
	cells = append(cells, l.name, l.kind, l.project, l.status, l.pods, l.age)
	if t.wide {
		cells = append(cells, l.nodes, l.url)
	}
	return append(cells, l.reason)
}

// print writes the lines that were added since the last time, the first time
// under a heading.
func (t *table) print(w io.Writer) error {
	var rows [][]string
	if !t.started {
		t.started = true
		rows = append(rows, t.cells(line{"NAMESPACE", "NAME", "KIND", "PROJECT", "STATUS", "PODS", "AGE", "NODES", "URL", "REASON"}))
	}
	for _, l := range t.lines {
		rows = append(rows, t.cells(l))
	}
	t.lines = nil
	t.measure(rows)
	for _, cells := range rows {
		if _, err := fmt.Fprintln(w, t.align(cells)); err != nil {
			return err
		}
	}
	return nil
}

// leastWidths of fixed columns fit most of what comes later.
const leastWidth = 10

func (t *table) measure(rows [][]string) {
	for _, cells := range rows {
		for i, cell := range cells {
			if i == len(t.widths) {
				t.widths = append(t.widths, 0)
				if t.fixed {
					t.widths[i] = leastWidth
				}
			}
			t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cell))
		}
	}
}

func (t *table) align(cells []string) string {
	var out strings.Builder
	for i, cell := range cells {
		cell = cmp.Or(cell, "-")
		out.WriteString(cell)
		if i < len(cells)-1 {
			out.WriteString(strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(cell)+3))
		}
	}
	return strings.TrimRight(out.String(), " -")
}
