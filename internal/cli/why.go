// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/why"
	"slipway.dev/slipway/internal/cli/workload"
)

func (a *app) why() *cobra.Command {
	return &cobra.Command{
		Use:   "why NAME|KIND/NAME",
		Short: "Explain why something waits, or where it runs and until when",
		Long: `Explain one object: why it waits, its place in the queue, when it is expected to
start and what would make it fit; or where it runs, until when, and for whom it would
give way. Of a node it tells whom it takes, who is there, and for whom it is kept. A name
alone is looked for among jobs, models, deployments, gangs, pods, projects, nodes and groups; any
other kind that has pods can be named as KIND/NAME.

The reasons are those of the scheduler, decided once more on the cluster as it is. Who may
not list all nodes and pods is told what the scheduler wrote last.`,
		Example: `  slipway why tiny
  slipway why pod/tiny-master-0
  slipway why project/speech
  slipway why node/node-7`,
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

// maxOffered objects of a kind are offered: of pods a namespace may have thousands.
const maxOffered = 500

// completeSubjects offers workloads by name, and other objects with their kind.
func (a *app) completeSubjects(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp
	if len(args) > 0 {
		return nil, directive
	}
	var names []cobra.Completion
	kind, _, named := strings.Cut(typed, "/")
	if !named { // or else nothing but that kind is asked for
		names, _ = a.completeWorkloads(false, false, workload.Kinds()...)(cmd, args, typed)
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return names, directive
	}
	for name, gvk := range why.Kinds() {
		prefix := name + "/"
		isWorkload := slices.ContainsFunc(workload.Kinds(), func(k workload.Kind) bool { return k.Name == name })
		begun := strings.HasPrefix(typed, prefix)
		if !begun && (isWorkload || !strings.HasPrefix(prefix, typed)) {
			continue
		}
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
		if cluster.List(ctx, list, client.InNamespace(cluster.Namespace), client.Limit(maxOffered)) != nil {
			continue
		}
		for _, object := range list.Items {
			names = append(names, prefix+object.Name)
		}
	}
	if !named || why.IsGroup(kind) {
		names = append(names, groupsOf(ctx, cluster)...)
	}
	return names, directive
}

// groupsOf pods that have no Gang, as KIND/NAME.
func groupsOf(ctx context.Context, cluster *connect.Cluster) []cobra.Completion {
	pods, err := workload.ListScheduled(ctx, cluster, cluster.Namespace, nil)
	if err != nil {
		return nil
	}
	var names []cobra.Completion
	for _, w := range workload.Loose(pods) {
		if why.IsGroup(w.Kind.Name) {
			names = append(names, w.String())
		}
	}
	return names
}
