// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package top

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Overpromised says of which resources the projects below a project are guaranteed more, together, than it
// is itself: with what is above that they take nothing back from anybody but one another.
func Overpromised(projects []Project) []string {
	type quota struct {
		project string
		name    corev1.ResourceName
		kind    string
	}
	below := map[quota]*resource.Quantity{}
	for _, p := range projects {
		for _, q := range p.Quota {
			key := quota{p.Parent, q.Resource, q.Kind}
			if below[key] == nil {
				below[key] = &resource.Quantity{}
			}
			below[key].Add(q.Guaranteed)
		}
	}
	var all []string
	for _, p := range projects {
		for _, q := range p.Quota {
			sum := below[quota{p.Name, q.Resource, q.Kind}]
			if sum == nil || sum.Cmp(q.Guaranteed) <= 0 {
				continue
			}
			what := string(q.Resource)
			if q.Kind != "" {
				what += " of kind " + q.Kind
			}
			all = append(all, fmt.Sprintf("project %s is guaranteed %s %s, and those below it %s together: what they use above %[2]s is borrowed",
				p.Name, q.Guaranteed.String(), what, sum.String()))
		}
	}
	return all
}
