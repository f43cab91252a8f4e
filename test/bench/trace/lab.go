// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/simulate"
	"slipway.dev/slipway/internal/simulate/trace"
)

const (
	hour = int64(3600)
	week = 7 * 24 * hour

	nodes   = 128
	perNode = 8
	perRack = 16
	// grace of evicted pods is Kubernetes' default.
	grace = 30
)

// team is a project with its guarantee of GPUs and its share of the jobs.
type team struct {
	name       string
	guaranteed int64
	share      float64
	users      int
	largest    int64 // of its gangs, in GPUs
}

// teams ask for other shares than they are guaranteed; a quarter of the cluster is
// guaranteed to nobody, and one team has nothing else.
func teams() []team {
	return []team{
		{"language", 320, 35, 40, 512}, {"vision", 192, 25, 30, 256}, {"speech", 128, 12, 15, 256},
		{"robotics", 64, 8, 10, 128}, {"science", 64, 12, 20, 128}, {"students", 0, 8, 60, 64},
	}
}

// input is a week of the trace of a seed.
func input(load float64, seed uint64) simulate.Input {
	in := simulate.Input{Grace: grace, SettleEvery: settleEvery, Jobs: trace.Jobs(records(load, seed), 0)}
	for i := range nodes {
		in.Nodes = append(in.Nodes, placement.Node{
			Name: fmt.Sprintf("node-%03d", i), Ready: true,
			Labels:      map[string]string{"rack": fmt.Sprintf("rack-%d", i/perRack)},
			Allocatable: placement.Resources{"cpu": 128000, "memory": 1 << 40, trace.GPU: perNode, "pods": 110},
		})
	}
	for _, t := range teams() {
		in.Queues = append(in.Queues, placement.Queue{
			Name: t.name, Weight: 1,
			Quota: []placement.Quota{{Resource: trace.GPU, Guaranteed: t.guaranteed, Limit: placement.Unlimited}},
		})
	}
	return in
}

// records of a seed.
func records(load float64, seed uint64) []trace.Record {
	shape := trace.Shape{GPUs: nodes * perNode, Load: load, Length: week}
	for _, t := range teams() {
		shape.Teams = append(shape.Teams, trace.Team{Project: t.name, Share: t.share, Users: t.users, Largest: t.largest})
	}
	return trace.Generate(shape, seed)
}
