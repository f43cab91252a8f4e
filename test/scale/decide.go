// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/test/scale/fakenode"
)

const (
	// decideLimit in pods a second.
	decideLimit = 100_000
	// decideRuns are measured after one that warms up; the median counts.
	decideRuns = 5
)

// decideSizes of gangs, in pods of one GPU: single ones beside those that take
// whole racks.
var decideSizes = []int32{1, 64, 4, 256, 16, 8, 512, 2, 32, 128}

// measureDecide asks the engine alone, in this process: no API server, nothing
// written. Each gang is decided when it comes, in a pass of its own. Times are of the
// processor.
func measureDecide(ctx context.Context, o *options) ([]bench.Bar, error) {
	bars, err := decideFull(ctx, o.decide.nodes)
	if err != nil {
		return bars, err
	}
	byNodes, err := decideByNodes(ctx, o.decideAt)
	bars = append(bars, byNodes...)
	if err != nil {
		return bars, err
	}
	byWaiting, err := decideByWaiting(ctx, o.decide.nodes, o.decideWaiting)
	return append(bars, byWaiting...), err
}

// decideFull fills a cluster, and says how fast and with how much memory.
func decideFull(ctx context.Context, nodes int) ([]bench.Bar, error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	full, pods := picture(nodes), int32(nodes*fakenode.GPUsPerNode)
	if _, err := toFull(full, pods); err != nil {
		return nil, err
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	took, err := medianOf(ctx, func() (time.Duration, error) { return toFull(picture(nodes), pods) })
	runtime.KeepAlive(full)
	if err != nil {
		return nil, err
	}
	return []bench.Bar{
		bench.AtLeast(fmt.Sprintf("mixed gangs until %d nodes are full", nodes), float64(pods)/took.Seconds(), "pods/s", decideLimit),
		bench.Observed(fmt.Sprintf("memory of the picture with %d nodes full", nodes), float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB"),
	}, nil
}

// decideByNodes compares what one pod costs on clusters of several sizes. Small
// ones are filled so often that as many pods are decided on as in the largest.
func decideByNodes(ctx context.Context, sizes []int) (bars []bench.Bar, err error) {
	var costs []float64
	for _, nodes := range sizes {
		pods, times := nodes*fakenode.GPUsPerNode, slices.Max(sizes)/nodes
		took, err := medianOf(ctx, func() (total time.Duration, err error) {
			for range times {
				took, err := toFull(picture(nodes), int32(pods))
				if err != nil {
					return 0, err
				}
				total += took
			}
			return total, nil
		})
		if err != nil {
			return bars, err
		}
		costs = append(costs, micros(took)/float64(pods*times))
		inRack, err := medianOf(ctx, func() (time.Duration, error) { return racked(picture(nodes)) })
		if err != nil {
			return bars, err
		}
		bars = append(bars,
			bench.Observed(fmt.Sprintf("%d nodes, decision per pod", nodes), costs[len(costs)-1], "µs"),
			bench.Observed(fmt.Sprintf("%d nodes, a gang of %d within one rack", nodes, smallGang), micros(inRack)/rackedGangs, "µs"))
	}
	return append(bars, bench.AtMost("decision per pod, growth with nodes", growthOf(costs), "", growthLimit)), nil
}

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

// medianOf several runs, after one that warms up.
func medianOf(ctx context.Context, run func() (time.Duration, error)) (time.Duration, error) {
	var took []float64
	for i := range decideRuns + 1 {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		one, err := run()
		if err != nil {
			return 0, err
		}
		if i > 0 {
			took = append(took, float64(one))
		}
	}
	return time.Duration(bench.Percentile(took, 50)), nil
}

// growthOf costs by size, the smallest first: by how much at most a larger one
// exceeds a smaller one. Costs that fall do not grow.
func growthOf(costs []float64) float64 {
	growth := 1.0
	for i := range costs {
		for j := range i {
			growth = max(growth, costs[i]/costs[j])
		}
	}
	return growth
}

// processorTime of this process, collecting garbage included. Whatever else the
// machine does counts in the time by the clock, and more in a long run than in a short
// one.
func processorTime() time.Duration {
	var used unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &used); err != nil {
		panic(err) // The clock has been there since Linux 2.6.
	}
	return time.Duration(used.Nano())
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
