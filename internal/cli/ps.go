// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/live"
	"slipway.dev/slipway/internal/cli/workload"
)

// listing is one "slipway ps".
type listing struct {
	everywhere, watch bool
	format            string
}

func (a *app) ps() *cobra.Command {
	var l listing
	cmd := &cobra.Command{
		Use:     "ps",
		Short:   "List jobs and models, and why they wait",
		Args:    cobra.NoArgs,
		GroupID: groupLook,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"", "wide", "json", "yaml", "name"}, l.format) {
				return wrongUsage("--output is %q; use wide, json, yaml or name", l.format)
			}
			if l.watch && l.format != "" && l.format != "wide" {
				return wrongUsage("--watch prints a table; leave out --output %s", l.format)
			}
			return a.list(cmd.Context(), l)
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
	var all []workload.Workload
	for _, kind := range workload.Kinds() {
		some, err := workload.List(ctx, cluster, kind, namespace)
		if err != nil {
			return err
		}
		all = append(all, some...)
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
		t.add(row(w, time.Now()))
	}
	return t.print(a.Stdout)
}

// printItems prints the objects whole, as a List that other programs read.
func (a *app) printItems(cluster *connect.Cluster, format string, all []workload.Workload) error {
	items := []any{}
	for _, w := range all {
		gvk, err := cluster.GroupVersionKindFor(w.Object)
		if err != nil {
			return err
		}
		fields, err := wholeFields(w.Object, gvk)
		if err != nil {
			return err
		}
		items = append(items, fields)
	}
	return printPlain(a.Stdout, format, []any{map[string]any{"apiVersion": "v1", "kind": "List", "items": items}})
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
	for _, kind := range workload.Kinds() {
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
	for shown := map[string]string{}; ; {
		if err := a.printChanges(watching, views, t, shown); err != nil {
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

// printChanges prints the workloads whose state is not what was shown last.
func (a *app) printChanges(ctx context.Context, views []*live.View, t *table, shown map[string]string) error {
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
		key, state := w.Object.GetNamespace()+"/"+w.String(), fmt.Sprint(w.State())
		present[key] = true
		if shown[key] != state {
			shown[key] = state
			t.add(row(w, time.Now()))
		}
	}
	for key := range shown {
		if !present[key] {
			delete(shown, key)
			t.add(gone(key))
		}
	}
	return t.print(a.Stdout)
}
