// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package top

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"slipway.dev/slipway/internal/scheduler"
)

// PrintNodes as a table, taken/allocatable of each resource, with what is measured where
// something is.
func PrintNodes(out io.Writer, nodes []Node, headers bool) error {
	columns, measured := Columns(nodes), isMeasured(nodes)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if headers {
		fmt.Fprint(w, "NAME\tSTATE\tGANGS")
		for _, name := range columns {
			fmt.Fprint(w, "\t", strings.ToUpper(string(name)))
		}
		if measured {
			fmt.Fprint(w, "\tCPU USED\tMEMORY USED")
		}
		fmt.Fprintln(w, "\tTAINTS")
	}
	for _, n := range nodes {
		fmt.Fprintf(w, "%s\t%s\t%d", n.Name, strings.Join(n.State, ","), len(n.Gangs))
		for _, name := range columns {
			fmt.Fprint(w, "\t", n.room(name))
		}
		if measured {
			fmt.Fprintf(w, "\t%s\t%s", n.used(corev1.ResourceCPU), n.used(corev1.ResourceMemory))
		}
		fmt.Fprintf(w, "\t%s\n", cmp.Or(strings.Join(n.Taints, ","), "-"))
	}
	return w.Flush()
}

func isMeasured(nodes []Node) bool {
	return slices.ContainsFunc(nodes, func(n Node) bool { return n.Resources[corev1.ResourceCPU].Used != nil })
}

func (n Node) room(name corev1.ResourceName) string {
	room, has := n.Resources[name]
	if !has {
		return "-"
	}
	return scheduler.Format(name, room.Taken) + "/" + scheduler.Format(name, room.Allocatable)
}

func (n Node) used(name corev1.ResourceName) string {
	return orDash(name, n.Resources[name].Used)
}

// PrintProjects as a tree, a line for each quota, and below it one for each user.
func PrintProjects(out io.Writer, projects []Project, headers bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if headers {
		fmt.Fprintln(w, "PROJECT\tPLACED\tWAITING\tRESOURCE\tGUARANTEED\tLIMIT\tUSED\tBORROWED")
	}
	for _, p := range projects {
		indent := strings.Repeat("  ", p.Depth)
		lead := []string{indent + p.Name, strconv.Itoa(int(p.Placed)), strconv.Itoa(int(p.Waiting))}
		switch {
		case p.Refused != "":
			line(w, lead, "-", "-", "-", "-", "-", "cannot be used")
			continue
		case len(p.Quota) == 0:
			line(w, lead, "-", "-", "-", "-", "-")
		}
		for _, q := range p.Quota {
			name := string(q.Resource)
			if q.Kind != "" {
				name += " on " + q.Kind
			}
			line(w, lead, name, scheduler.Format(q.Resource, q.Guaranteed), orDash(q.Resource, q.Limit),
				orDash(q.Resource, q.Used)+q.mark(), orDash(q.Resource, q.Borrowed))
			lead = []string{"", "", ""}
			for _, user := range slices.Sorted(maps.Keys(q.Users)) {
				line(w, []string{indent + "  by " + user, "", ""}, name, "-", "-", scheduler.Format(q.Resource, q.Users[user]), "-")
			}
		}
	}
	return w.Flush()
}

// mark what was above a limit when that was made lower: it runs on.
func (q Quota) mark() string {
	if q.Used != nil && q.Limit != nil && q.Used.Cmp(*q.Limit) > 0 {
		return " (over limit)"
	}
	return ""
}

func line(w io.Writer, lead []string, cells ...string) {
	fmt.Fprintln(w, strings.Join(slices.Concat(lead, cells), "\t"))
}

func orDash(name corev1.ResourceName, q *resource.Quantity) string {
	if q == nil {
		return "-"
	}
	return scheduler.Format(name, *q)
}
