// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/test/scale/fakenode"
	"slipway.dev/slipway/test/scale/lab"
)

const (
	// Limits in seconds, from being submitted until every gang that gives way says so.
	reclaimOneLimit  = 1
	reclaimGangLimit = 5

	borrower, owner = "borrower", "owner"
)

// measureReclaim fills a cluster with gangs of one GPU whose project has borrowed
// all that it uses. Another project, which is guaranteed some, takes back one GPU,
// several times, and then as many as one large gang needs.
func measureReclaim(ctx context.Context, o *options) ([]bench.Bar, error) {
	return inLab(ctx, o, o.reclaim.nodes, func(ctx context.Context, l *lab.Lab) ([]bench.Bar, error) {
		borrowed, err := borrowAll(ctx, l, o)
		if err != nil {
			return nil, err
		}
		before, err := l.SettledWrites(ctx)
		if err != nil {
			return nil, err
		}
		var decided, bound []float64
		for i := range o.reclaim.times {
			one, err := reclaim(ctx, l, borrowed, fmt.Sprintf("one-%03d", i), 1)
			if err != nil {
				return nil, err
			}
			decided, bound = append(decided, one.evicted), append(bound, one.bound)
		}
		gang, err := reclaim(ctx, l, borrowed, "gang", o.reclaim.gang)
		if err != nil {
			return nil, err
		}
		after, err := l.SettledWrites(ctx)
		if err != nil {
			return nil, err
		}
		owed, gaveWay := o.reclaim.times+o.reclaim.gang, len(borrowed.Evicted.Times())
		return []bench.Bar{
			bench.AtMost(fmt.Sprintf("one GPU of %d, submitted to eviction written, slowest of %d", o.reclaim.nodes*fakenode.GPUsPerNode, len(decided)),
				bench.Percentile(decided, 100), "s", reclaimOneLimit),
			bench.Observed("one GPU, submitted to pod bound, slowest", bench.Percentile(bound, 100), "s"),
			bench.Observed(fmt.Sprintf("gang of %d, submitted to first eviction written", o.reclaim.gang), gang.first, "s"),
			bench.AtMost(fmt.Sprintf("gang of %d, submitted to all evictions written", o.reclaim.gang), gang.evicted, "s", reclaimGangLimit),
			bench.Observed(fmt.Sprintf("gang of %d, submitted to all pods bound", o.reclaim.gang), gang.bound, "s"),
			bench.AtMost("gangs that gave way, for each GPU taken back", float64(gaveWay)/float64(owed), "", 1),
			writesBar("API writes per GPU taken back", after.Since(before), owed),
		}, nil
	})
}

// borrowAll GPUs of the cluster. It returns when all pods run.
func borrowAll(ctx context.Context, l *lab.Lab, o *options) (*lab.Batch, error) {
	if err := l.BringUpPlatform(ctx); err != nil {
		return nil, err
	}
	for name, gpus := range map[string]int{borrower: 0, owner: o.reclaim.times + o.reclaim.gang} {
		project := newProject(name, "", slipwayv1.Quota{Resource: fakenode.GPU, Guaranteed: *resource.NewQuantity(int64(gpus), resource.DecimalSI)})
		if err := l.Client.Create(ctx, project); err != nil {
			return nil, fmt.Errorf("making project %s: %w", name, err)
		}
	}
	b, err := l.Batch(ctx, borrower)
	if err != nil {
		return nil, err
	}
	all := o.reclaim.nodes * fakenode.GPUsPerNode
	err = lab.Submit(ctx, b, numbered(all, func(name string) *slipwayv1.Gang { return gangOf(borrower, name, 1) }))
	if err != nil {
		return nil, err
	}
	if err := b.Running.Await(ctx, all); err != nil {
		return nil, fmt.Errorf("starting pods: %w", err)
	}
	return b, nil
}

// reclaimed is how long it took from just before a gang was submitted, in seconds.
type reclaimed struct{ first, evicted, bound float64 }

// reclaim so many GPUs from those that borrowed them.
func reclaim(ctx context.Context, l *lab.Lab, borrowed *lab.Batch, name string, pods int) (reclaimed, error) {
	b, err := l.Batch(ctx, name)
	if err != nil {
		return reclaimed{}, err
	}
	earlier := len(borrowed.Evicted.Times())
	began := time.Now()
	if err := lab.Submit(ctx, b, []*slipwayv1.Gang{gangOf(owner, name, pods)}); err != nil {
		return reclaimed{}, err
	}
	if err := borrowed.Evicted.Await(ctx, earlier+pods); err != nil {
		return reclaimed{}, fmt.Errorf("waiting for evictions: %w", err)
	}
	evicted := borrowed.Evicted.Times()[earlier : earlier+pods]
	if err := b.Bound.Await(ctx, pods); err != nil {
		return reclaimed{}, fmt.Errorf("binding pods: %w", err)
	}
	since := func(moment time.Time) float64 { return moment.Sub(began).Seconds() }
	return reclaimed{since(evicted[0]), since(evicted[pods-1]), since(b.Bound.Last())}, nil
}

// gangOf a project, with one GPU for each pod.
func gangOf(project, name string, pods int) *slipwayv1.Gang {
	gang := newGang(name, pods, gpus(1))
	gang.Spec.Project = project
	return gang
}
