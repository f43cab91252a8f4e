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
	Past   []Past
	// Refused gangs, of which no decision can be made, with the reason.
	Refused map[string]string
}

// Past usage of a queue, as for placement.Picture.Recall.
type Past struct {
	Queue, Resource string
	Mean, At        int64
}

// Tell of a snapshot.
func Tell(s *snapshot.Snapshot) Told {
	out := Told{Refused: map[string]string{}}
	for _, n := range s.Nodes {
		out.Nodes = append(out.Nodes, nodeOf(n))
	}
	for _, p := range s.Projects {
		out.Queues = append(out.Queues, queueOf(p))
		if past := p.Status.PastUsage; past != nil {
			for _, resource := range slices.Sorted(maps.Keys(past.Mean)) {
				out.Past = append(out.Past, Past{p.Name, string(resource), amountOf(resource, past.Mean[resource]), past.Time.Unix()})
			}
		}
	}
	for _, p := range s.Pods {
		if pod, takes := podOf(p); takes {
			out.Pods = append(out.Pods, pod)
		}
	}
	for _, g := range s.Gangs {
		if g.DeletionTimestamp != nil {
			continue
		}
		if told, err := TellGang(g, s); err != nil {
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
	told, err := gangOf(g)
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
