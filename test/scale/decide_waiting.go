// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/test/scale/fakenode"
)

const (
	// decideArrivals are how many gangs of arrivalPods come, or end, in one run, or as
	// many as there is room for; their mean counts.
	decideArrivals = 100
	arrivalPods    = 8
	// leftGPUs of each node are free.
	leftGPUs = 2
)

// decideByWaiting compares what a gang that comes, and one that ends, costs while
// others wait for whole nodes that are not there.
func decideByWaiting(ctx context.Context, nodes int, sizes []int) (bars []bench.Bar, err error) {
	var comes, ends []float64
	count := min(decideArrivals, nodes*leftGPUs/arrivalPods)
	for _, waiting := range sizes {
		p, err := crowded(nodes, waiting)
		if err != nil {
			return bars, err
		}
		came, err := medianOf(ctx, func() (time.Duration, error) { return arrivals(p, count) })
		if err != nil {
			return bars, err
		}
		ended, err := medianOf(ctx, func() (time.Duration, error) { return departures(p, count) })
		if err != nil {
			return bars, err
		}
		comes = append(comes, micros(came)/float64(count))
		ends = append(ends, micros(ended)/float64(count*waiting))
		bars = append(bars,
			bench.Observed(fmt.Sprintf("%d waiting, one more that is placed", waiting), comes[len(comes)-1], "µs"),
			bench.Observed(fmt.Sprintf("%d waiting, one ends and all are tried again, for each", waiting), ends[len(ends)-1], "µs"))
	}
	return append(bars,
		bench.AtMost("one more that is placed, growth with those that wait", growthOf(comes), "", growthLimit),
		bench.AtMost("one ends, for each that is tried again, growth with those that wait", growthOf(ends), "", growthLimit)), nil
}

// decideQueues are as many as in workloads.
const decideQueues = 30

// crowded is a cluster with a few GPUs left on each node, and so many gangs of ten
// sizes in several queues that want whole nodes.
func crowded(nodes, waiting int) (*placement.Picture, error) {
	p := picture(nodes)
	for i := range decideQueues {
		if err := p.SetQueue(placement.Queue{Name: fmt.Sprint("queue-", i)}); err != nil {
			return nil, err
		}
	}
	for i := range nodes {
		p.Bind(placement.Pod{Key: fmt.Sprint("other-", i), Node: fakenode.Name(i),
			Requests: placement.Resources{string(fakenode.GPU): fakenode.GPUsPerNode - leftGPUs}})
	}
	for i := range waiting {
		gang := asked(fmt.Sprintf("waiting-%06d", i), i, int32(16+i%10), fakenode.GPUsPerNode)
		gang.Queue = fmt.Sprint("queue-", i%decideQueues)
		if err := p.SetGang(gang); err != nil {
			return nil, err
		}
	}
	if told := decided(p); len(told) != waiting {
		return nil, fmt.Errorf("%d of %d gangs were told that they wait", len(told), waiting)
	}
	return p, nil
}

// arrivals of gangs that find a place. They are gone again afterwards.
func arrivals(p *placement.Picture, count int) (time.Duration, error) {
	began := processorTime()
	for i := range count {
		if err := placedAtOnce(p, arrival(i)); err != nil {
			return 0, err
		}
	}
	took := processorTime() - began
	for i := range count {
		p.DeleteGang(arrival(i).Key)
	}
	decided(p)
	return took, nil
}

func arrival(i int) placement.Gang {
	return asked(fmt.Sprintf("arrival-%06d", i), 1<<20+i, arrivalPods, 1)
}

// departures of gangs, one in each pass, which leave nothing that anybody who
// waits can use.
func departures(p *placement.Picture, count int) (time.Duration, error) {
	for i := range count {
		if err := placedAtOnce(p, arrival(i)); err != nil {
			return 0, err
		}
	}
	began := processorTime()
	for i := range count {
		p.DeleteGang(arrival(i).Key)
		if told := decided(p); len(told) > 0 {
			return 0, fmt.Errorf("%s should have gone unnoticed: %v", arrival(i).Key, told)
		}
	}
	return processorTime() - began, nil
}
