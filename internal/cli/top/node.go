// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package top

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"

	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// Node is a line about one node.
type Node struct {
	Name string `json:"name"`
	// State is Ready or NotReady, and Cordoned.
	State  []string `json:"state"`
	Taints []string `json:"taints,omitempty"`
	// Gangs that have places or pods there, as namespace/name.
	Gangs []string `json:"gangs,omitempty"`
	// Resources by name.
	Resources map[corev1.ResourceName]Room `json:"resources"`
}

// Room of a resource on a node.
type Room struct {
	Allocatable resource.Quantity `json:"allocatable"`
	// Taken by reservations of gangs and requests of pods.
	Taken resource.Quantity `json:"taken"`
	// Used as measured; nil where nobody measures.
	Used *resource.Quantity `json:"used,omitempty"`
}

// Usage is what was measured, by node.
type Usage map[string]corev1.ResourceList

// Nodes of a cluster that a selector matches, those of the names alone if there are any.
func Nodes(s *snapshot.Snapshot, d *scheduler.Decided, usage Usage, selector labels.Selector, names []string) []Node {
	var all []Node
	for _, n := range s.Nodes {
		if selector.Matches(labels.Set(n.Labels)) && (len(names) == 0 || slices.Contains(names, n.Name)) {
			all = append(all, nodeOf(n, d.NodeUse(n.Name), usage[n.Name]))
		}
	}
	return all
}

func nodeOf(n *corev1.Node, use scheduler.NodeUse, used corev1.ResourceList) Node {
	out := Node{Name: n.Name, State: []string{"NotReady"}, Resources: map[corev1.ResourceName]Room{}}
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
			out.State[0] = "Ready"
		}
	}
	if n.Spec.Unschedulable {
		out.State = append(out.State, "Cordoned")
	}
	for _, t := range n.Spec.Taints {
		if t.Key != corev1.TaintNodeUnschedulable && t.Key != corev1.TaintNodeNotReady {
			out.Taints = append(out.Taints, t.ToString())
		}
	}
	for _, g := range use.Gangs {
		out.Gangs = append(out.Gangs, g.String())
	}
	for name, allocatable := range n.Status.Allocatable {
		room := Room{Allocatable: allocatable, Taken: use.Taken[name]}
		if measured, is := used[name]; is {
			room.Used = &measured
		}
		out.Resources[name] = room
	}
	for name, devices := range use.Devices {
		out.Resources[name] = Room{Allocatable: devices, Taken: use.Taken[name]}
	}
	return out
}

// Columns are the resources of nodes that are worth a column: devices, then processors
// and memory.
func Columns(nodes []Node) []corev1.ResourceName {
	var devices []corev1.ResourceName
	for _, n := range nodes {
		for name := range n.Resources {
			if placement.IsDevice(string(name)) && !slices.Contains(devices, name) {
				devices = append(devices, name)
			}
		}
	}
	slices.Sort(devices)
	return append(devices, corev1.ResourceCPU, corev1.ResourceMemory)
}

// SortNodes by name, gangs, gpu, cpu or memory: the last four by what is taken, most first.
func SortNodes(nodes []Node, by string) {
	taken := func(n Node) float64 {
		sum := 0.0
		for name, room := range n.Resources {
			if string(name) == by || by == "gpu" && placement.IsDevice(string(name)) {
				sum += room.Taken.AsApproximateFloat64()
			}
		}
		if by == "gangs" {
			return float64(len(n.Gangs))
		}
		return sum
	}
	slices.SortFunc(nodes, func(a, b Node) int {
		return cmp.Or(cmp.Compare(taken(b), taken(a)), cmp.Compare(a.Name, b.Name))
	})
}
