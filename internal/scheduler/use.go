// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

// NodeUse is what takes the room of a node.
type NodeUse struct {
	// Taken is what gangs have reserved and pods that are bound ask for.
	Taken corev1.ResourceList
	// Devices that it has of each device class, which a Node does not tell.
	Devices corev1.ResourceList
	Gangs   []types.NamespacedName
}

// NodeUse of a node.
func (d *Decided) NodeUse(name string) NodeUse {
	h := d.Picture.Holding(name)
	use := NodeUse{Taken: corev1.ResourceList{}, Devices: d.ledger.classesOn(name)}
	for name, n := range h.Taken {
		use.Taken[corev1.ResourceName(name)] = *quantityOf(corev1.ResourceName(name), n)
	}
	for _, key := range h.Gangs {
		if e := d.ledger.gangs[key]; e != nil {
			use.Gangs = append(use.Gangs, e.name)
		}
	}
	return use
}

// UsedBy the users of a project, by name, so much of what a quota names.
func (d *Decided) UsedBy(project string, q slipwayv1.Quota) map[string]resource.Quantity {
	used := map[string]resource.Quantity{}
	for user, n := range d.Picture.UsedBy(project, string(q.Resource), q.Kind) {
		used[user] = *quantityOf(q.Resource, n)
	}
	return used
}

// Format an amount of a resource in the words of reasons: "0.5" cores, "1.5Gi", "8".
func Format(name corev1.ResourceName, q resource.Quantity) string {
	return placement.Format(string(name), amountOf(name, q))
}
