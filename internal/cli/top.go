// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/top"
	"slipway.dev/slipway/internal/scheduler"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

func (a *app) top() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "top",
		Short:   "Show what takes the room of nodes and of projects",
		GroupID: groupLook,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
		ValidArgsFunction:          cobra.NoFileCompletions,
		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(a.topNodes(), a.topProjects())
	return cmd
}

// topView is how a table of top is printed.
type topView struct {
	sortBy, format string
	noHeaders      bool
}

func (v *topView) register(cmd *cobra.Command, orders ...cobra.Completion) {
	cmd.Flags().StringVar(&v.sortBy, "sort-by", orders[0], "`order`: "+strings.Join(orders, ", "))
	cmd.Flags().StringVarP(&v.format, "output", "o", "", "`format`: json or yaml")
	cmd.Flags().BoolVar(&v.noHeaders, "no-headers", false, "leave out the heading")
	offer(cmd, "sort-by", orders...)
	offer(cmd, "output", "json", "yaml")
}

func (v *topView) check(orders ...string) error {
	if !slices.Contains(orders, v.sortBy) {
		return wrongUsage("--sort-by is %q; use one of %s", v.sortBy, strings.Join(orders, ", "))
	}
	if !slices.Contains([]string{"", "json", "yaml"}, v.format) {
		return wrongUsage("--output is %q; use json or yaml, or leave it out for a table", v.format)
	}
	return nil
}

func (a *app) topNodes() *cobra.Command {
	var view topView
	var selector string
	orders := []string{"name", "gangs", "gpu", "cpu", "memory"}
	cmd := &cobra.Command{
		Use:     "nodes [NAME...]",
		Aliases: []string{"node", "no"},
		Short:   "Show what is taken of each node, by how many gangs, and its state",
		Long: `Show for each node what is taken and what there is of its devices, processors and memory.
Taken is what gangs have reserved and pods ask for, as the scheduler counts it. Where the
metrics API is served, what is really used is shown, too.`,
		Example: `  slipway top nodes --sort-by gpu
  slipway top nodes -l nvidia.com/gpu.product=NVIDIA-H100-80GB-HBM3`,
		ValidArgsFunction: a.completeNames(&corev1.NodeList{}),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := view.check(orders...); err != nil {
				return err
			}
			matching, err := labels.Parse(selector)
			if err != nil {
				return wrongUsage("--selector is %q: %w; write one such as rack=a", selector, err)
			}
			return a.showNodes(cmd.Context(), view, matching, args)
		},
	}
	view.register(cmd, orders...)
	cmd.Flags().StringVarP(&selector, "selector", "l", "", "`labels` that nodes must have")
	return cmd
}

func (a *app) showNodes(ctx context.Context, view topView, selector labels.Selector, names []string) error {
	cluster, s, err := a.look(ctx)
	if err != nil {
		return err
	}
	usage, err := top.Measure(ctx, cluster)
	if err != nil {
		return err
	}
	nodes := top.Nodes(s, scheduler.Decide(s), usage, selector, names)
	if err := allFound("node", names, nodes, func(n top.Node) string { return n.Name }); err != nil {
		return err
	}
	top.SortNodes(nodes, view.sortBy)
	return show(a, view, nodes, top.PrintNodes)
}

func (a *app) topProjects() *cobra.Command {
	var view topView
	orders := []string{"name", "used", "waiting"}
	cmd := &cobra.Command{
		Use:     "projects [NAME...]",
		Aliases: []string{"project", "prj"},
		Short:   "Show what each project and its users use of its quota",
		Long: `Show the tree of projects with what each is guaranteed, may use at most, uses and
borrows, and how much of it each user does. What a project uses, those above it use, too.`,
		Example:           `  slipway top projects --sort-by used`,
		ValidArgsFunction: a.completeNames(&slipwayv1.ProjectList{}),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := view.check(orders...); err != nil {
				return err
			}
			return a.showProjects(cmd.Context(), view, args)
		},
	}
	view.register(cmd, orders...)
	return cmd
}

func (a *app) showProjects(ctx context.Context, view topView, names []string) error {
	_, s, err := a.look(ctx)
	if err != nil {
		return err
	}
	projects := top.Projects(s, scheduler.Decide(s), view.sortBy, names)
	if err := allFound("project", names, projects, func(p top.Project) string { return p.Name }); err != nil {
		return err
	}
	if view.format == "" {
		a.warn(projects)
	}
	return show(a, view, projects, top.PrintProjects)
}

// look at the whole cluster.
func (a *app) look(ctx context.Context) (*connect.Cluster, *snapshot.Snapshot, error) {
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return nil, nil, err
	}
	bulk, err := cluster.Bulk()
	if err != nil {
		return nil, nil, err
	}
	s, err := snapshot.Fetch(ctx, bulk, time.Now())
	if err != nil {
		return nil, nil, connect.Needing(connect.RoleObserve, err)
	}
	s.Sort()
	return cluster, s, nil
}

// allFound of the names that were written.
func allFound[T any](what string, names []string, found []T, nameOf func(T) string) error {
	for _, name := range names {
		if !slices.ContainsFunc(found, func(x T) bool { return nameOf(x) == name }) {
			return fmt.Errorf("there is no %s %q here; leave the name out to see all", what, name)
		}
	}
	return nil
}

// show a table, or the same for programs.
func show[T any](a *app, view topView, all []T, table func(io.Writer, []T, bool) error) error {
	if view.format == "" {
		if len(all) == 0 {
			fmt.Fprintln(a.Stderr, "there are none")
			return nil
		}
		return table(a.Stdout, all, !view.noHeaders)
	}
	return printValue(a.Stdout, view.format, slices.Concat([]T{}, all))
}
