// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/top"
	"slipway.dev/slipway/internal/cli/waiting"
)

func (a *app) queue() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "queue",
		Short: "Show projects, what they use of their quota, and what waits",
		Long: `Show the tree of projects with what each is guaranteed, may use at most, uses and
borrows, and then the gangs that wait, and pods that have none, of all namespaces or the
one of --namespace, with the reason. FOR counts from when they last had their places, or came.
What is wrong with a project is said first.`,
		Example: `  slipway queue
  slipway queue -n team -o name | xargs -n 1 slipway why -n team`,
		Args:    cobra.NoArgs,
		GroupID: groupLook,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"", "json", "yaml", "name"}, format) {
				return wrongUsage("--output is %q; use json, yaml or name, or leave it out for a table", format)
			}
			return a.showQueue(cmd.Context(), format)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "", "`format`: json, yaml or name")
	offer(cmd, "output", "json", "yaml", "name")
	return cmd
}

// queued is the answer of "slipway queue".
type queued struct {
	Projects []top.Project  `json:"projects"`
	Waiting  []waiting.Line `json:"waiting"`
}

func (a *app) showQueue(ctx context.Context, format string) error {
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return err
	}
	var projects slipwayv1.ProjectList
	if err := cluster.List(ctx, &projects); err != nil {
		return fmt.Errorf("listing projects: %w", err)
	}
	lines, hidden, err := waiting.Gather(ctx, cluster, a.cluster.Namespace) // of all, where none was asked for
	if err != nil {
		return err
	}
	if hidden != nil {
		fmt.Fprintf(a.Stderr, "warning: only gangs are shown, and no pods that have none: %s\n", oneLine(connect.Explain(connect.Needing(connect.RoleObserve, hidden)).Error()))
	}
	all := queued{asWritten(projects.Items), lines}
	switch format {
	case "json", "yaml":
		return printValue(a.Stdout, format, queued{slices.Concat([]top.Project{}, all.Projects), slices.Concat([]waiting.Line{}, lines)})
	case "name":
		for _, l := range lines {
			fmt.Fprintln(a.Stdout, l.Name)
		}
		return nil
	}
	return a.printQueue(all)
}

// printQueue as tables, with what a person has to mend before them.
func (a *app) printQueue(q queued) error {
	a.warn(q.Projects)
	for _, line := range top.Overpromised(q.Projects) {
		fmt.Fprintf(a.Stderr, "warning: %s\n", line)
	}
	if len(q.Projects) == 0 {
		fmt.Fprintln(a.Stderr, "there are no projects: all gangs share the cluster, by priority and age")
	} else if err := top.PrintProjects(a.Stdout, q.Projects, true); err != nil {
		return err
	}
	if len(q.Projects) > 0 {
		fmt.Fprintln(a.Stdout)
	}
	if len(q.Waiting) == 0 {
		_, err := fmt.Fprintln(a.Stdout, "nothing waits")
		return err
	}
	return waiting.Print(a.Stdout, q.Waiting, time.Now())
}

// warn of projects that cannot be used, which their lines do not say at length.
func (a *app) warn(projects []top.Project) {
	for _, p := range projects {
		if p.Refused != "" {
			fmt.Fprintf(a.Stderr, "warning: project %s cannot be used: %s\n", p.Name, p.Refused)
		}
	}
}

// asWritten is the tree of projects with what the scheduler last wrote of them: that may be
// read by those who may not see the whole cluster.
func asWritten(projects []slipwayv1.Project) []top.Project {
	var all []*slipwayv1.Project
	for i := range projects {
		all = append(all, &projects[i])
	}
	return top.Tree(all, "name", func(p *slipwayv1.Project) top.Project { return top.ProjectOf(p, &p.Status) })
}
