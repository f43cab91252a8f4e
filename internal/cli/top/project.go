// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package top

import (
	"cmp"
	"maps"
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/scheduler"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// Project is what one project uses.
type Project struct {
	Name   string `json:"name"`
	Parent string `json:"parent,omitempty"`
	// Depth below the root, for indentation.
	Depth int `json:"-"`
	// Placed and Waiting gangs of its own.
	Placed  int32 `json:"placed"`
	Waiting int32 `json:"waiting"`
	// Refused says why its quota is not in force.
	Refused string  `json:"refused,omitempty"`
	Quota   []Quota `json:"quota,omitempty"`
}

// Quota with what is used of it.
type Quota struct {
	Resource   corev1.ResourceName `json:"resource"`
	Kind       string              `json:"kind,omitempty"`
	Guaranteed resource.Quantity   `json:"guaranteed"`
	Limit      *resource.Quantity  `json:"limit,omitempty"`
	// Used is absent until the scheduler has looked at the project.
	Used     *resource.Quantity `json:"used,omitempty"`
	Borrowed *resource.Quantity `json:"borrowed,omitempty"`
	// Users of the project itself, by name.
	Users map[string]resource.Quantity `json:"users,omitempty"`
}

// Projects of a cluster with what the scheduler says of them now, and with their users. With
// names only those are left.
func Projects(s *snapshot.Snapshot, d *scheduler.Decided, by string, names []string) []Project {
	all := Tree(s.Projects, by, func(p *slipwayv1.Project) Project {
		status, _ := d.ProjectStatus(p.Name)
		out := ProjectOf(p, &status)
		for i, q := range p.Spec.Quota {
			out.Quota[i].Users = d.UsedBy(p.Name, q)
			delete(out.Quota[i].Users, "")
		}
		return out
	})
	return slices.DeleteFunc(all, func(p Project) bool { return len(names) > 0 && !slices.Contains(names, p.Name) })
}

// Tree of projects: each is followed by those below it. Siblings are in the order of by:
// name, used (of what is guaranteed, most first) or waiting. A project whose parent is not
// there is one at the top, as is the first of those whose parents form a cycle.
func Tree(projects []*slipwayv1.Project, by string, of func(*slipwayv1.Project) Project) []Project {
	below, known := map[string][]Project{}, map[string]bool{}
	for _, p := range projects {
		known[p.Name] = true
	}
	var top []Project
	for _, p := range projects {
		one := of(p)
		below[p.Spec.Parent] = append(below[p.Spec.Parent], one)
		if !known[p.Spec.Parent] {
			top = append(top, one)
		}
	}
	var all []Project
	shown := map[string]bool{}
	var visit func([]Project, int)
	visit = func(siblings []Project, depth int) {
		slices.SortFunc(siblings, func(a, b Project) int {
			return cmp.Or(cmp.Compare(b.rank(by), a.rank(by)), cmp.Compare(a.Name, b.Name))
		})
		for _, p := range siblings {
			if shown[p.Name] {
				continue
			}
			shown[p.Name] = true
			p.Depth = depth
			all = append(all, p)
			visit(below[p.Name], depth+1)
		}
	}
	visit(top, 0)
	visit(slices.Concat(slices.Collect(maps.Values(below))...), 0)
	return all
}

// ProjectOf a Project with a status.
func ProjectOf(p *slipwayv1.Project, status *slipwayv1.ProjectStatus) Project {
	out := Project{Name: p.Name, Parent: p.Spec.Parent, Placed: status.Placed, Waiting: status.Waiting}
	if c := meta.FindStatusCondition(status.Conditions, slipwayv1.ConditionReady); c != nil && c.Status != metav1.ConditionTrue {
		out.Refused = c.Message
	}
	for _, q := range p.Spec.Quota {
		quota := Quota{Resource: q.Resource, Kind: q.Kind, Guaranteed: q.Guaranteed, Limit: q.Limit}
		for _, u := range status.Usage {
			if u.Resource == q.Resource && u.Kind == q.Kind {
				quota.Used, quota.Borrowed = &u.Used, u.Borrowed
			}
		}
		out.Quota = append(out.Quota, quota)
	}
	return out
}

// rank by which siblings are sorted, the greatest first.
func (p Project) rank(by string) float64 {
	switch by {
	case "waiting":
		return float64(p.Waiting)
	case "used":
		most := 0.0
		for _, q := range p.Quota {
			if q.Used == nil {
				continue
			}
			used, guaranteed := q.Used.AsApproximateFloat64(), q.Guaranteed.AsApproximateFloat64()
			switch {
			case guaranteed > 0:
				most = max(most, used/guaranteed)
			case used > 0:
				most = math.Inf(1)
			}
		}
		return most
	}
	return 0
}
