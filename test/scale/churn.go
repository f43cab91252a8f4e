// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/test/scale/fakenode"
	"slipway.dev/slipway/test/scale/lab"
)

const (
	// gapLimit in seconds between one gang placed and the next.
	gapLimit = 0.5
	// runTime of a pod: gangs end and go while others come.
	runTime = 5 * time.Second

	largeGang, smallGang = 500, 4
)

// measureChurn gives a running platform large and small gangs, each of which
// wants a rack of its own choice whole, while others run, end and go.
func measureChurn(ctx context.Context, o *options) ([]bench.Bar, error) {
	return inLab(ctx, o, o.churn.nodes, func(ctx context.Context, l *lab.Lab) ([]bench.Bar, error) {
		if err := l.StartPlatform(); err != nil {
			return nil, err
		}
		if err := l.AwaitPlatform(ctx); err != nil {
			return nil, err
		}
		b, err := l.Batch(ctx, "churn")
		if err != nil {
			return nil, err
		}
		before, err := l.Writes(ctx)
		if err != nil {
			return nil, err
		}
		gangs := mixed(o.churn.large, o.churn.small)
		pods := o.churn.large*largeGang + o.churn.small*smallGang
		began := time.Now()
		if err := lab.Submit(ctx, b, gangs); err != nil {
			return nil, err
		}
		if err := b.Placed.Await(ctx, len(gangs)); err != nil {
			return nil, fmt.Errorf("placing gangs: %w", err)
		}
		if err := b.Bound.Await(ctx, pods); err != nil {
			return nil, fmt.Errorf("binding pods: %w", err)
		}
		after, err := l.Writes(ctx)
		if err != nil {
			return nil, err
		}
		return []bench.Bar{
			bench.AtMost("longest gap in placing gangs", longestGap(began, b.Placed.Times()).Seconds(), "s", gapLimit),
			bench.Observed(fmt.Sprintf("%d gangs placed", len(gangs)), b.Placed.Last().Sub(began).Seconds(), "s"),
			bench.Observed(fmt.Sprintf("%d pods bound", pods), b.Bound.Last().Sub(began).Seconds(), "s"),
			bench.Observed("longest gap in binding pods", longestGap(began, b.Bound.Times()).Seconds(), "s"),
			writesBar("API writes per pod, up to the last one bound", after.Since(before), pods),
		}, nil
	})
}

// mixed gangs in an order that is the same every time.
func mixed(large, small int) []*slipwayv1.Gang {
	var gangs []*slipwayv1.Gang
	for i := range large + small {
		size := smallGang
		if i < large {
			size = largeGang
		}
		gang := newGang(fmt.Sprintf("gang-%04d", i), size, gpus(1))
		gang.Annotations = map[string]string{fakenode.AnnotationRunTime: runTime.String()}
		gang.Spec.PodSets[0].Topology = &slipwayv1.Topology{Required: fakenode.LabelRack}
		gangs = append(gangs, gang)
	}
	order := rand.New(rand.NewPCG(1, 2))
	order.Shuffle(len(gangs), func(i, j int) { gangs[i], gangs[j] = gangs[j], gangs[i] })
	return gangs
}

// longestGap between moments in order, the beginning included.
func longestGap(began time.Time, moments []time.Time) time.Duration {
	var longest time.Duration
	for _, moment := range moments {
		longest = max(longest, moment.Sub(began))
		began = moment
	}
	return longest
}
