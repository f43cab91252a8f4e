// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// Told is what placement is told of a snapshot, value by value: for those who want to
// change some of it first, or to run time forward over it.
type Told struct {
	Nodes  []placement.Node
	Queues []placement.Queue
	Pods   []placement.Pod
	Gangs  []placement.Gang
	// Groups are the gangs of pods that have no Gang, which the scheduler has in memory alone.
	Groups []placement.Gang
	// Remains of groups that gave way, whose pods have not ended: gangs that want nothing.
	Remains []placement.Gang
	// Held are groups that room alone does not help.
	Held []Held
	Past []placement.Past
	// Namespaces with their labels.
	Namespaces map[string]map[string]string
	// Refused gangs, of which no decision can be made, with the reason.
	Refused map[string]string
}

// Held is a group that waits for something else than room: for more pods, or for a PodGroup.
type Held struct{ Key, Queue, Why string }

// Tell of a snapshot.
func Tell(s *snapshot.Snapshot) Told {
	out := Told{Refused: map[string]string{}, Namespaces: map[string]map[string]string{}}
	for _, n := range s.Namespaces {
		out.Namespaces[n.Name] = n.Labels
	}
	stock := inventoryOf(s)
	out.tellPods(s, stock)
	for _, n := range s.Nodes {
		out.Nodes = append(out.Nodes, stock.node(n))
	}
	for _, p := range s.Projects {
		out.Queues = append(out.Queues, queueOf(p))
		if past := p.Status.PastUsage; past != nil {
			out.Past = append(out.Past, pastOf(p.Name, past))
		}
	}
	out.Pods = stock.give(out.Pods, s.ResourceClaims)
	for _, g := range s.Gangs {
		if g.DeletionTimestamp != nil {
			continue
		}
		if told, err := tellGang(g, s, &stock); err != nil {
			out.Refused[told.Key] = err.Error()
		} else {
			out.Gangs = append(out.Gangs, told)
		}
	}
	return out
}

// tellPods those that are bound, and those that are gangs of their own.
func (out *Told) tellPods(s *snapshot.Snapshot, stock inventory) {
	l := groupsIn(s, stock)
	for _, key := range slices.Sorted(maps.Keys(l.groups)) {
		g, crew := l.groups[key], l.crews[key]
		if g.why != "" {
			out.Held = append(out.Held, Held{key, l.projectOf(g, crew), g.why})
			continue
		}
		out.Groups = append(out.Groups, l.groupGang(key, g, crew))
	}
	for _, key := range slices.Sorted(maps.Keys(l.remains)) {
		out.Remains = append(out.Remains, l.remainsGang(key))
	}
	for _, p := range s.Pods {
		pod, takes := podOf(p)
		if !takes {
			continue
		}
		if left, evicted := l.evicted[p.UID]; evicted {
			pod.Gang, pod.Set, pod.Rank = left.remains, "", 0
		} else if m := l.member(p.UID); m != nil {
			l.seatOf(m, &pod)
		}
		out.Pods = append(out.Pods, pod)
	}
}

// groupsIn a snapshot, as a ledger knows them that is told of their pods alone and of what these
// refer to: what is made of pods no object says. What they claim is counted with what Gangs do.
func groupsIn(s *snapshot.Snapshot, stock inventory) *ledger {
	l := newLedger()
	l.stock.inventory = stock
	for o := range s.Objects() {
		switch o := o.(type) {
		case *corev1.Node, *slipwayv1.Gang, *slipwayv1.Project,
			*resourcev1.DeviceClass, *resourcev1.ResourceSlice, *resourcev1.ResourceClaim, *resourcev1.ResourceClaimTemplate:
		case *corev1.Pod:
			if isOurs(o) && !groupingOf(o).gang {
				l.set(o)
			}
		default:
			l.set(o)
		}
	}
	l.finishEvictions()
	l.want()
	stock.Refresh()
	l.askGroups()
	return l
}

// TellGang is what placement is told of a gang in the cluster of a snapshot, or why
// it cannot be followed.
func TellGang(g *slipwayv1.Gang, s *snapshot.Snapshot) (placement.Gang, error) {
	stock := inventory{}
	if asksDevices(g) {
		stock = inventoryOf(s)
	}
	return tellGang(g, s, &stock)
}

func tellGang(g *slipwayv1.Gang, s *snapshot.Snapshot, stock *inventory) (placement.Gang, error) {
	told, problem, err := stock.gang(g)
	if err == nil && len(told.Placement) == 0 {
		err = problem
	}
	if err != nil {
		return told, err
	}
	if told.Queue == "" {
		for _, namespace := range s.Namespaces {
			if namespace.Name == g.Namespace {
				told.Queue = namespace.Labels[slipwayv1.LabelProject]
			}
		}
	}
	return told, told.Validate()
}
