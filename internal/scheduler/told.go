// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"maps"
	"slices"

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
	Past   []placement.Past
	// Namespaces with their labels.
	Namespaces map[string]map[string]string
	// Refused gangs, of which no decision can be made, with the reason.
	Refused map[string]string
}

// Tell of a snapshot.
func Tell(s *snapshot.Snapshot) Told {
	out := Told{Refused: map[string]string{}, Namespaces: map[string]map[string]string{}}
	for _, n := range s.Namespaces {
		out.Namespaces[n.Name] = n.Labels
	}
	stock := inventoryOf(s)
	for _, n := range s.Nodes {
		out.Nodes = append(out.Nodes, stock.node(n))
	}
	for _, p := range s.Projects {
		out.Queues = append(out.Queues, queueOf(p))
		if past := p.Status.PastUsage; past != nil {
			for _, resource := range slices.Sorted(maps.Keys(past.Mean)) {
				out.Past = append(out.Past, placement.Past{
					Queue: p.Name, Resource: string(resource), Mean: amountOf(resource, past.Mean[resource]), At: past.Time.Unix()})
			}
		}
	}
	for _, p := range s.Pods {
		if pod, takes := podOf(p); takes {
			out.Pods = append(out.Pods, pod)
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
