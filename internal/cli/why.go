// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/why"
	"slipway.dev/slipway/internal/cli/workload"
)

func (a *app) why() *cobra.Command {
	return &cobra.Command{
		Use:   "why NAME|KIND/NAME",
		Short: "Explain why something waits, or where it runs and until when",
		Long: `Explain one object: why it waits, its place in the queue, when it is expected to
start and what would make it fit; or where it runs, until when, and for whom it would
give way. A name alone is looked for among jobs, models, deployments, gangs, pods and
projects; any other kind that has pods can be named as KIND/NAME.

The reasons are those of the scheduler, decided once more on the cluster as it is. Who may
not list all nodes and pods is told what the scheduler wrote last.`,
		Example: `  slipway why tiny
  slipway why pod/tiny-master-0
  slipway why project/speech`,
		Args:              oneName("NAME"),
		GroupID:           groupLook,
		ValidArgsFunction: a.completeSubjects,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.explain(cmd.Context(), args[0]) },
	}
}

func (a *app) explain(ctx context.Context, name string) error {
	ref, err := why.ParseRef(name)
	if err != nil {
		return usageError{err}
	}
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return err
	}
	subject, err := why.Find(ctx, cluster, ref, cluster.Namespace)
	if err != nil {
		return err
	}
	bulk, err := cluster.Bulk()
	if err != nil {
		return err
	}
	facts, err := why.Gather(ctx, cluster, bulk, subject, time.Now())
	if err != nil {
		return err
	}
	return facts.Report(a.Stdout)
}

// completeSubjects offers workloads by name, and gangs and projects with their kind.
func (a *app) completeSubjects(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	names, directive := a.completeWorkloads(false, false, workload.Kinds()...)(cmd, args, typed)
	if len(args) > 0 {
		return names, directive
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return names, directive
	}
	var gangs slipwayv1.GangList
	if cluster.List(ctx, &gangs, client.InNamespace(cluster.Namespace)) == nil {
		for _, g := range gangs.Items {
			names = append(names, "gang/"+g.Name)
		}
	}
	var projects slipwayv1.ProjectList
	if cluster.List(ctx, &projects) == nil {
		for _, p := range projects.Items {
			names = append(names, "project/"+p.Name)
		}
	}
	return names, directive
}
