// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/live"
	"slipway.dev/slipway/internal/cli/why"
	"slipway.dev/slipway/internal/cli/workload"
)

// doomed is a workload to delete.
type doomed struct {
	kind   workload.Kind
	object client.Object
}

func (d doomed) String() string { return d.kind.Name + "/" + d.object.GetName() }

func (a *app) delete() *cobra.Command {
	var dryRun, wait bool
	cmd := &cobra.Command{
		Use:   "delete NAME|KIND/NAME...",
		Short: "Stop and remove jobs and models",
		Long: `Stop and remove jobs and models with their pods. Claims stay, and with them what
was written on them. All names are looked up before the first is deleted.`,
		Example: `  slipway delete tiny
  slipway delete pytorchjob/tiny model/tiny --wait`,
		GroupID: groupLook,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return wrongUsage("%s takes at least one NAME; usage: %s", cmd.Name(), cmd.UseLine())
			}
			return nil
		},
		ValidArgsFunction: a.completeWorkloads(true, true, workload.Kinds()...),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.deleteAll(cmd.Context(), args, dryRun, wait)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "ask the cluster what would be deleted")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until they and their pods are gone")
	return cmd
}

func (a *app) deleteAll(ctx context.Context, names []string, dryRun, wait bool) error {
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return err
	}
	var all []doomed
	for _, name := range names {
		ref, err := workload.ParseRef(name)
		if err != nil {
			return usageError{err}
		}
		kind, object, err := ref.Find(ctx, cluster, cluster.Namespace)
		if err != nil {
			return explainNone(ctx, cluster, ref, err)
		}
		if kind.IsLoose() {
			return explainLoose(ctx, cluster, kind, ref.Name)
		}
		all = append(all, doomed{kind, object})
	}
	if dryRun {
		return a.wouldDelete(ctx, cluster, all)
	}
	return a.deleteThem(ctx, cluster, all, wait)
}

// explainNone is the error of a name that is of no job and no model; or, if ps lists pods under it,
// how to delete these.
func explainNone(ctx context.Context, cluster *connect.Cluster, ref workload.Ref, err error) error {
	if !errors.As(err, new(workload.NoneError)) {
		return err
	}
	if loose := looseNamed(ctx, cluster, ref.Name); len(loose) > 0 && len(ref.Kinds) > 1 {
		return notOurs(cluster, loose[0])
	}
	return misnamed(ctx, cluster, ref, err)
}

// explainLoose: how to delete pods that are of no job and no model.
func explainLoose(ctx context.Context, cluster *connect.Cluster, kind workload.Kind, name string) error {
	w, err := workload.Get(ctx, cluster, kind, cluster.Namespace, name)
	if err != nil {
		return err
	}
	return notOurs(cluster, w)
}

func notOurs(cluster *connect.Cluster, w workload.Workload) error {
	return fmt.Errorf("%s is no job and no model; delete it with: slipway kubectl delete -n %s %s", w, cluster.Namespace, kubectlName(w))
}

// kubectlName of pods that belong together: all of their names where they are a group, of which there
// may be no object.
func kubectlName(w workload.Workload) string {
	if !why.IsGroup(w.Kind.Name) {
		return w.String()
	}
	names := []string{"pods"}
	for _, p := range w.Pods {
		names = append(names, p.Name)
	}
	return strings.Join(names, " ")
}

// wouldDelete asks the cluster whether it would let them be deleted.
func (a *app) wouldDelete(ctx context.Context, cluster *connect.Cluster, all []doomed) error {
	var problems []error
	for _, each := range all {
		if err := deleteOne(ctx, client.NewDryRunClient(cluster.Client), each, false); err != nil {
			problems = append(problems, err)
			continue
		}
		fmt.Fprintf(a.Stdout, "%s would be deleted (dry run)\n", each)
	}
	return errors.Join(problems...)
}

// deleteThem all before it waits for any: they end side by side. One that cannot be deleted
// is told after the others.
func (a *app) deleteThem(ctx context.Context, cluster *connect.Cluster, all []doomed, wait bool) error {
	var problems []error
	var deleted []doomed
	for _, each := range all {
		if err := deleteOne(ctx, cluster, each, wait); err != nil {
			problems = append(problems, err)
			continue
		}
		deleted = append(deleted, each)
	}
	tell := func(d doomed) { fmt.Fprintf(a.Stdout, "%s deleted\n", d) }
	if wait {
		return errors.Join(append(problems, awaitGone(ctx, cluster, deleted, tell))...)
	}
	for _, each := range deleted {
		tell(each)
	}
	return errors.Join(problems...)
}

// deleteOne deletes the very object that was found, not one that has taken its
// name since. It stays until its pods are gone if somebody waits for that.
func deleteOne(ctx context.Context, c client.Client, d doomed, wait bool) error {
	policy := metav1.DeletePropagationBackground
	if wait {
		policy = metav1.DeletePropagationForeground
	}
	err := c.Delete(ctx, d.object, client.PropagationPolicy(policy), client.Preconditions{UID: ptr.To(d.object.GetUID())})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting %s: %w", d, err)
	}
	return nil
}

// awaitGone waits until nothing of these names is what was deleted, and tells of each as it goes.
func awaitGone(ctx context.Context, cluster *connect.Cluster, all []doomed, tell func(doomed)) error {
	views, changed := map[string]*live.View{}, make(chan struct{}, 1)
	for _, d := range all {
		var err error
		ctx, views[d.String()], err = live.Open(ctx, cluster, live.Scope{Kind: d.kind, Namespace: d.object.GetNamespace(), Name: d.object.GetName()})
		if err != nil {
			return err
		}
		go forward(ctx, views[d.String()].Changed(), changed)
	}
	for {
		var left []doomed
		for _, d := range all {
			w, err := views[d.String()].One(ctx)
			switch {
			case err != nil:
				return err
			case w == nil || w.Object.GetUID() != d.object.GetUID():
				tell(d)
			default:
				left = append(left, d)
			}
		}
		if all = left; len(all) == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s is gone: %w", all[0], context.Cause(ctx))
		}
	}
}
