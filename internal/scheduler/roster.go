// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"cmp"
	"maps"
	"slices"

	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

// roster gathers the pods of a group by the sets that they are of.
type roster struct {
	sets map[string]*placement.PodSet
	// at is how many pods of each set are on each node.
	at map[string]map[string]int32
}

// groupGang is what the group asks of placement, and notes with each of its pods what keeps that
// from a place (member.problem). The places that its pods have are facts. It is whose the first of
// its pods is, as is its charge.
func (l *ledger) groupGang(key string, g *group, c *crew) placement.Gang {
	project, first := l.projectOf(g, c), g.pods[c.inOrder()[0].uid].pod
	// Its pods were started together, and nobody starts them again when one is lost.
	out := placement.Gang{Key: key, Queue: project, User: first.Annotations[slipwayv1.AnnotationUser], Started: g.started, Loose: true}
	r := roster{map[string]*placement.PodSet{}, map[string]map[string]int32{}}
	for i, m := range c.inOrder() {
		a := g.pods[m.uid]
		devices, problem := l.stock.devices(a.claimed.devices)
		m.problem = cmp.Or(groupingOf(a.pod).problem, a.problem, problem, strayed(a.pod, project))
		node := c.whereIs(m)
		if m.problem != "" && node == "" {
			continue // It joined a group that runs.
		}
		priority, created := ptr.Deref(a.pod.Spec.Priority, 0), a.pod.CreationTimestamp.Unix()
		if i == 0 {
			out.Priority, out.Created = priority, created
		}
		out.Priority, out.Created = max(out.Priority, priority), min(out.Created, created)
		r.add(m.set, a.set, devices, node)
	}
	out.Sets, out.Placement = r.ask()
	out.Unfinished = len(out.Placement) > 0 && !g.whole && l.here(g, c) < l.startedWith(g)
	return out
}

// add a pod that is on a node, or on none, to the set of that name; all pods of it are alike.
func (r *roster) add(name string, set placement.PodSet, devices placement.Resources, node string) {
	if r.sets[name] == nil {
		set.Count = 0
		if len(devices) > 0 {
			set.Shape.Requests = maps.Clone(set.Shape.Requests)
			maps.Copy(set.Shape.Requests, devices)
		}
		r.sets[name], r.at[name] = &set, map[string]int32{}
	}
	r.sets[name].Count++
	if node != "" {
		r.at[name][node]++
	}
}

// ask for the sets, in the order of their names, with the places that they have.
func (r *roster) ask() (sets []placement.PodSet, places []placement.SetPlacement) {
	for _, name := range slices.Sorted(maps.Keys(r.sets)) {
		sets = append(sets, *r.sets[name])
		if len(r.at[name]) == 0 {
			continue
		}
		placed := placement.SetPlacement{Set: name}
		for _, node := range slices.Sorted(maps.Keys(r.at[name])) {
			placed.Slots = append(placed.Slots, placement.Slot{Node: node, Count: r.at[name][node]})
		}
		places = append(places, placed)
	}
	return sets, places
}
