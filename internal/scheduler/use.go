// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"time"

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
	// Kept for those that were promised places there, the first to start first.
	Kept []Kept
}

// Kept is what is kept of a node for a gang, or pods that have none, until it starts.
type Kept struct {
	Name  types.NamespacedName
	Start time.Time
	Takes corev1.ResourceList
}

// NodeUse of a node.
func (d *Decided) NodeUse(name string) NodeUse {
	h := d.Picture.Holding(name)
	use := NodeUse{Devices: d.ledger.classesOn(name)}
	use.Taken = quantitiesOf(h.Taken)
	for _, key := range h.Gangs {
		if e := d.ledger.gangs[key]; e != nil {
			use.Gangs = append(use.Gangs, e.name)
		}
	}
	for _, k := range d.Picture.Kept(name) {
		use.Kept = append(use.Kept, Kept{nameOfKey(k.Gang), time.Unix(k.At, 0), quantitiesOf(k.Takes)})
	}
	return use
}

func quantitiesOf(amounts placement.Resources) corev1.ResourceList {
	list := corev1.ResourceList{}
	for name, n := range amounts {
		list[corev1.ResourceName(name)] = *quantityOf(corev1.ResourceName(name), n)
	}
	return list
}

// Claimed by a pod is what is counted for it: nothing where that is not known, or where another
// pod has it.
func (d *Decided) Claimed(p *corev1.Pod) []slipwayv1.DeviceRequest {
	return d.ledger.stock.claimed(p).devices
}

// Endless are the gangs, and pods that have none, in the way of one that waits that run, or were
// promised to, for a time that nobody knows.
func (d *Decided) Endless(name types.NamespacedName) []types.NamespacedName {
	var names []types.NamespacedName
	for _, key := range namesOf(d.Picture.Endless(keyOf(name.Namespace, name.Name))) {
		names = append(names, nameOfKey(key))
	}
	return names
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
