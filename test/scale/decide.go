// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"slipway.dev/slipway/internal/bench"
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
