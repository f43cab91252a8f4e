// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/live"
	"slipway.dev/slipway/internal/cli/waiting"
	"slipway.dev/slipway/internal/cli/workload"
)

// listing is one "slipway ps".
type listing struct {
	everywhere, watch bool
	format            string
	projects          waiting.Projects
}

func (a *app) ps() *cobra.Command {
	var l listing
	cmd := &cobra.Command{
		Use:   "ps",
		Short: "List jobs, models and other pods that slipway schedules, and why they wait",
		Long: `List jobs and models with their state and, where not all is as it should be, why. Pods that
slipway schedules and that belong to neither are listed by what they belong to: a Deployment
or another controller, a group, or themselves; their AGE is that of the oldest pod.

PODS counts those that run, or answer, of all that should; once a job has ended and none
runs any more there is nothing to count.`,
		Args:    cobra.NoArgs,
		GroupID: groupLook,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"", "wide", "json", "yaml", "name"}, l.format) {
				return wrongUsage("--output is %q; use wide, json, yaml or name", l.format)
			}
			if l.watch && l.format != "" && l.format != "wide" {
				return wrongUsage("--watch prints a table; leave out --output %s", l.format)
			}
			return connect.Needing(connect.RoleObserve, a.list(cmd.Context(), l))
		},
	}
	cmd.Flags().BoolVarP(&l.everywhere, "all-namespaces", "A", false, "of all namespaces")
	cmd.Flags().BoolVarP(&l.watch, "watch", "w", false, "go on and print what changes")
	cmd.Flags().StringVarP(&l.format, "output", "o", "", "`format`: wide, json, yaml or name")
	offer(cmd, "output", "wide", "json", "yaml", "name")
	return cmd
}

func (a *app) list(ctx context.Context, l listing) error {
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return err
	}
	namespace := cluster.Namespace
	if l.everywhere {
		namespace = ""
	}
	if l.watch {
		return a.watchList(ctx, cluster, l, namespace)
	}
	pods, err := workload.ListScheduled(ctx, cluster, namespace, nil)
	if err != nil {
		return err
	}
	all := workload.Loose(pods)
	for _, kind := range workload.Kinds() {
		some, err := workload.List(ctx, cluster, kind, namespace)
		if err != nil {
			return err
		}
		all = append(all, some...)
	}
	if err := workload.Listen(ctx, cluster, all); err != nil {
		return err
	}
	if l.projects, err = waiting.ReadProjects(ctx, cluster, namespace); err != nil {
		return err
	}
	sortWorkloads(all)
	return a.printList(cluster, l, all)
}

func sortWorkloads(all []workload.Workload) {
	slices.SortStableFunc(all, func(a, b workload.Workload) int {
		return cmp.Or(strings.Compare(a.Object.GetNamespace(), b.Object.GetNamespace()),
			strings.Compare(a.Object.GetName(), b.Object.GetName()), strings.Compare(a.Kind.Name, b.Kind.Name))
	})
}

func (a *app) printList(cluster *connect.Cluster, l listing, all []workload.Workload) error {
	switch l.format {
	case "name":
		for _, w := range all {
			fmt.Fprintln(a.Stdout, w)
		}
		return nil
	case "json", "yaml":
		return a.printItems(cluster, l.format, all)
	}
	if len(all) == 0 {
		where := "in namespace " + cluster.Namespace
		if l.everywhere {
			where = "in any namespace"
		}
		fmt.Fprintf(a.Stderr, "there are no jobs or models %s; begin with: slipway train, slipway deploy\n", where)
		return nil
	}
	t := l.table()
	for _, w := range all {
		t.add(l.row(w, time.Now()))
	}
	return t.print(a.Stdout)
}

// printItems prints the objects whole, as a List that other programs read.
func (a *app) printItems(cluster *connect.Cluster, format string, all []workload.Workload) error {
	items := []any{}
	for _, object := range objectsOf(all) {
		gvk, err := cluster.GroupVersionKindFor(object)
		if err != nil {
			return err
		}
		fields, err := wholeFields(object, gvk)
		if err != nil {
			return err
		}
		items = append(items, fields)
	}
	return printPlain(a.Stdout, format, []any{map[string]any{"apiVersion": "v1", "kind": "List", "items": items}})
}

// objectsOf workloads: where there is no one object the pods.
func objectsOf(all []workload.Workload) []client.Object {
	var objects []client.Object
	for _, w := range all {
		if !w.Kind.IsLoose() {
			objects = append(objects, w.Object)
			continue
		}
		for i := range w.Pods {
			objects = append(objects, &w.Pods[i])
		}
	}
	return objects
}

func wholeFields(object client.Object, gvk schema.GroupVersionKind) (map[string]any, error) {
	object.GetObjectKind().SetGroupVersionKind(gvk)
	object.SetManagedFields(nil)
	return toFields(object)
}

// watchList prints the table and then each line again that changes, until the
// context ends.
func (a *app) watchList(ctx context.Context, cluster *connect.Cluster, l listing, namespace string) error {
	var views []*live.View
	changed := make(chan struct{}, 1)
	watching := ctx
	var err error
	if l.projects, err = waiting.ReadProjects(ctx, cluster, namespace); err != nil {
		return err
	}
	for _, kind := range append(workload.Kinds(), workload.Kind{}) {
		var view *live.View
		var err error
		watching, view, err = live.Open(watching, cluster, live.Scope{Kind: kind, Namespace: namespace})
		if err != nil {
			return err
		}
		views = append(views, view)
		go forward(watching, view.Changed(), changed)
	}
	t := l.table()
	t.fixed = true
	for shown := map[string]shownLine{}; ; {
		if err := a.printChanges(watching, views, l, t, shown); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-watching.Done():
			return context.Cause(watching)
		}
	}
}

func forward(ctx context.Context, from <-chan struct{}, to chan<- struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-from:
			select {
			case to <- struct{}{}:
			default:
			}
		}
	}
}

// shownLine of a workload, and the state that it had then.
type shownLine struct {
	state workload.State
	line  line
}

// printChanges prints the workloads whose state is not what was shown last.
func (a *app) printChanges(ctx context.Context, views []*live.View, l listing, t *table, shown map[string]shownLine) error {
	var all []workload.Workload
	for _, view := range views {
		some, err := view.All(ctx)
		if err != nil {
			return err
		}
		all = append(all, some...)
	}
	sortWorkloads(all)
	present := map[string]bool{}
	for _, w := range all {
		key, state := w.Object.GetNamespace()+"/"+w.String(), w.State()
		present[key] = true
		if before, was := shown[key]; !was || before.state != state {
			shown[key] = shownLine{state, l.row(w, time.Now())}
			t.add(shown[key].line)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(shown)) {
		if !present[key] {
			t.add(shown[key].line.gone())
			delete(shown, key)
		}
	}
	return t.print(a.Stdout)
}
