// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

func (a *app) queue() *cobra.Command {
	return &cobra.Command{
		Use:   "queue",
		Short: "Show projects, what they use of their quota, and what waits",
		Long: `Show the tree of projects with what each is guaranteed, may use at most, uses and
borrows, and then the gangs that wait, of all namespaces, with the reason.`,
		Args:    cobra.NoArgs,
		GroupID: groupLook,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.showQueue(cmd.Context()) },
	}
}

func (a *app) showQueue(ctx context.Context) error {
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return err
	}
	var projects slipwayv1.ProjectList
	if err := cluster.List(ctx, &projects); err != nil {
		return fmt.Errorf("listing projects: %w", err)
	}
	var gangs slipwayv1.GangList
	if err := cluster.List(ctx, &gangs); err != nil {
		return fmt.Errorf("listing gangs: %w", err)
	}
	if len(projects.Items) == 0 {
		fmt.Fprintln(a.Stderr, "there are no projects: all gangs share the cluster, by priority and age")
	} else if err := printProjects(a.Stdout, projects.Items); err != nil {
		return err
	}
	return printWaiting(a.Stdout, gangs.Items, time.Now())
}

// printProjects as a tree, one line for each resource that a project has a quota of.
func printProjects(out io.Writer, projects []slipwayv1.Project) error {
	below := map[string][]*slipwayv1.Project{}
	known := map[string]bool{}
	for i := range projects {
		known[projects[i].Name] = true
	}
	for i := range projects {
		parent := projects[i].Spec.Parent
		if !known[parent] {
			parent = ""
		}
		below[parent] = append(below[parent], &projects[i])
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROJECT\tPLACED\tWAITING\tRESOURCE\tGUARANTEED\tLIMIT\tUSED\tBORROWED")
	var show func(parent, indent string)
	show = func(parent, indent string) {
		children := below[parent]
		slices.SortFunc(children, func(a, b *slipwayv1.Project) int { return strings.Compare(a.Name, b.Name) })
		for _, p := range children {
			printProject(w, p, indent)
			show(p.Name, indent+"  ")
		}
	}
	show("", "")
	return w.Flush()
}

func printProject(w io.Writer, p *slipwayv1.Project, indent string) {
	lead := fmt.Sprintf("%s%s\t%d\t%d", indent, p.Name, p.Status.Placed, p.Status.Waiting)
	if c := meta.FindStatusCondition(p.Status.Conditions, slipwayv1.ConditionReady); c != nil && c.Status == metav1.ConditionFalse {
		fmt.Fprintf(w, "%s\trefused: %s\n", lead, c.Message)
		return
	}
	if len(p.Spec.Quota) == 0 {
		fmt.Fprintf(w, "%s\t-\t-\t-\t-\t-\n", lead)
	}
	for i, quota := range p.Spec.Quota {
		if i > 0 {
			lead = "\t\t"
		}
		used, borrowed := "-", "-"
		for _, u := range p.Status.Usage {
			if u.Resource == quota.Resource && u.Kind == quota.Kind {
				used, borrowed = u.Used.String(), orDash(u.Borrowed)
			}
		}
		name := string(quota.Resource)
		if quota.Kind != "" {
			name += " on " + quota.Kind
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", lead, name, quota.Guaranteed.String(), orDash(quota.Limit), used, borrowed)
	}
}

func orDash(q *resource.Quantity) string {
	if q == nil {
		return "-"
	}
	return q.String()
}

// printWaiting gangs, those that wait longest first.
func printWaiting(out io.Writer, gangs []slipwayv1.Gang, now time.Time) error {
	var waiting []slipwayv1.Gang
	for _, g := range gangs {
		if g.DeletionTimestamp == nil && meta.IsStatusConditionFalse(g.Status.Conditions, slipwayv1.ConditionPlaced) {
			waiting = append(waiting, g)
		}
	}
	if len(waiting) == 0 {
		_, err := fmt.Fprintln(out, "nothing waits")
		return err
	}
	slices.SortFunc(waiting, func(a, b slipwayv1.Gang) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nWAITS\tNAMESPACE\tPRIORITY\tFOR\tREASON")
	for _, g := range waiting {
		c := meta.FindStatusCondition(g.Status.Conditions, slipwayv1.ConditionPlaced)
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", g.Name, g.Namespace, g.Spec.Priority, duration.HumanDuration(now.Sub(g.CreationTimestamp.Time)), c.Message)
	}
	return w.Flush()
}
