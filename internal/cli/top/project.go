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
	Used       resource.Quantity   `json:"used"`
	Borrowed   *resource.Quantity  `json:"borrowed,omitempty"`
	// Users of the project itself, by name.
	Users map[string]resource.Quantity `json:"users,omitempty"`
}

// Projects of a cluster as a tree: each is followed by those below it. Siblings are in the
// order of by: name, used (of what is guaranteed, most first) or waiting. With names only
// those are left, at their depth.
func Projects(s *snapshot.Snapshot, d *scheduler.Decided, by string, names []string) []Project {
	below := map[string][]Project{}
	known := map[string]bool{}
	for _, p := range s.Projects {
		known[p.Name] = true
	}
	for _, p := range s.Projects {
		above := p.Spec.Parent
		if !known[above] {
			above = ""
		}
		below[above] = append(below[above], projectOf(p, d))
	}
	var all []Project
	var visit func(above string, depth int)
	visit = func(above string, depth int) {
		children := below[above]
		slices.SortFunc(children, func(a, b Project) int {
			return cmp.Or(cmp.Compare(b.rank(by), a.rank(by)), cmp.Compare(a.Name, b.Name))
		})
		for _, p := range children {
			p.Depth = depth
			all = append(all, p)
			visit(p.Name, depth+1)
		}
	}
	visit("", 0)
	return slices.DeleteFunc(all, func(p Project) bool { return len(names) > 0 && !slices.Contains(names, p.Name) })
}

func projectOf(p *slipwayv1.Project, d *scheduler.Decided) Project {
	status, _ := d.ProjectStatus(p.Name)
	out := Project{Name: p.Name, Parent: p.Spec.Parent, Placed: status.Placed, Waiting: status.Waiting}
	if c := meta.FindStatusCondition(status.Conditions, slipwayv1.ConditionReady); c != nil && c.Status != "True" {
		out.Refused = c.Message
	}
	for _, q := range p.Spec.Quota {
		quota := Quota{Resource: q.Resource, Kind: q.Kind, Guaranteed: q.Guaranteed, Limit: q.Limit, Users: d.UsedBy(p.Name, q)}
		maps.DeleteFunc(quota.Users, func(user string, _ resource.Quantity) bool { return user == "" })
		for _, u := range status.Usage {
			if u.Resource == q.Resource && u.Kind == q.Kind {
				quota.Used, quota.Borrowed = u.Used, u.Borrowed
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
