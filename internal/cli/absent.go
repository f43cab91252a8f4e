// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/manifest"
	"slipway.dev/slipway/internal/cli/whatif"
	"slipway.dev/slipway/internal/podset"
)

// warnOfAbsent priority classes and projects that jobs name, and would wait for: neither the cluster
// has them nor the files. Who may not read them is told by the controllers.
func (a *app) warnOfAbsent(ctx context.Context, cluster *connect.Cluster, read []manifest.Object) {
	given := map[string]bool{}
	for _, object := range read {
		given[reference(object)] = true
	}
	known := podset.PriorityIn(ctx, cluster)
	// Any priority will do where there is a class or nobody may say: none is what is told.
	priority := func(name string) (*int32, error) {
		if name != "" && !given["priorityclass/"+name] {
			if value, err := known(name); err == nil {
				return value, nil
			}
		}
		return ptr.To[int32](0), nil
	}
	for _, object := range read {
		typed, err := cluster.Scheme().New(object.GroupVersionKind())
		if err != nil || runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, typed) != nil {
			continue
		}
		gang, noClass, err := whatif.GangOf(typed, priority)
		if err != nil || gang == nil {
			continue
		}
		for _, name := range noClass {
			fmt.Fprintf(a.Stderr, "warning: %s: there is no PriorityClass %s; make it, or name another\n", reference(object), name)
		}
		if given["project/"+gang.Spec.Project] {
			continue
		}
		if err := usableProject(ctx, cluster, gang.Spec.Project); err != nil {
			fmt.Fprintf(a.Stderr, "warning: %s: %s\n", reference(object), oneLine(err.Error()))
		}
	}
}
