// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"time"

	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/test/scale/fakenode"
)

// picture of a cluster with nothing on it, as fakenode makes it.
func picture(nodes int) *placement.Picture {
	p := placement.New()
	for i := range nodes {
		p.SetNode(placement.Node{
			Name: fakenode.Name(i), Ready: true,
			Labels: map[string]string{
				fakenode.LabelRack:  fmt.Sprint(i / fakenode.NodesPerRack),
				fakenode.LabelBlock: fmt.Sprint(i / fakenode.NodesPerBlock),
			},
			Allocatable: placement.Resources{"cpu": 128_000, "memory": 2 << 40, "pods": 110, string(fakenode.GPU): fakenode.GPUsPerNode},
		})
	}
	return p
}

// asked is a gang of like pods with so many GPUs each.
func asked(name string, number int, pods int32, gpus int64) placement.Gang {
	return placement.Gang{Key: name, Created: int64(number), Sets: []placement.PodSet{{
		Name: "worker", Count: pods,
		Shape: placement.Shape{Requests: placement.Resources{"cpu": 4000 * gpus, string(fakenode.GPU): gpus}},
	}}}
}

// toFull decides gangs until so many pods are placed, which must fill the cluster.
func toFull(p *placement.Picture, pods int32) (time.Duration, error) {
	runtime.GC()
	began := processorTime()
	for i := 0; pods > 0; i++ {
		count := min(decideSizes[i%len(decideSizes)], pods)
		if err := placedAtOnce(p, asked(fmt.Sprintf("gang-%06d", i), i, count, 1)); err != nil {
			return 0, err
		}
		pods -= count
	}
	return processorTime() - began, nil
}

// rackedGangs are few enough for a cluster of a few nodes.
const rackedGangs = 8

// racked decides on gangs that must have all their pods within one rack, the first of
// which does not count: the picture meets its class and its label.
func racked(p *placement.Picture) (took time.Duration, err error) {
	for i := range rackedGangs + 1 {
		gang := asked(fmt.Sprintf("racked-%06d", i), i, smallGang, 1)
		gang.Sets[0].Topology = placement.Topology{Required: fakenode.LabelRack}
		began := processorTime()
		if err := placedAtOnce(p, gang); err != nil {
			return 0, err
		}
		if i > 0 {
			took += processorTime() - began
		}
	}
	return took, nil
}

func placedAtOnce(p *placement.Picture, g placement.Gang) error {
	if err := p.SetGang(g); err != nil {
		return err
	}
	if v := decided(p); len(v) != 1 || v[0].State != placement.Placed {
		return fmt.Errorf("gang %s should be placed: %v", g.Key, v)
	}
	return nil
}

// decided is all that the scheduler asks for in one pass.
func decided(p *placement.Picture) []placement.Verdict {
	p.Elapse(1)
	verdicts := p.Decide()
	p.NextLoss()
	return verdicts
}
