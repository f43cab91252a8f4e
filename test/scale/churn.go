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
// wants a rack of its own choice whole, while others run, end and go. Then the same
// gangs are given to upstream's scheduler on a cluster of its own.
func measureChurn(ctx context.Context, o *options) ([]bench.Bar, error) {
	var ours, theirs churned
	bars, err := inLab(ctx, o, o.churn.nodes, func(ctx context.Context, l *lab.Lab) (bars []bench.Bar, err error) {
		ours, bars, err = churnOurs(ctx, l, o)
		return bars, err
	})
	if err != nil || o.churn.patience <= 0 {
		return bars, err
	}
	upstream, err := inUpstreamLab(ctx, o, o.churn.nodes, func(ctx context.Context, l *lab.Lab) (bars []bench.Bar, err error) {
		theirs, bars, err = churnUpstream(ctx, l, o)
		return bars, err
	})
	bars = append(bars, upstream...)
	if err != nil {
		return bars, err
	}
	return append(bars, bench.AtMost("all gangs bound, time for each second of upstream's", ours.took()/theirs.took(), "", 1)), nil
}

// churned is when gangs had all their pods bound.
type churned struct {
	began, ended time.Time
	whole        []time.Time
}

func (c churned) took() float64 { return c.ended.Sub(c.began).Seconds() }

// bars of either scheduler.
func (c churned) bars(whose string, gangs int) []bench.Bar {
	return []bench.Bar{
		bench.Observed(fmt.Sprintf("%s%d of %d gangs bound", whose, len(c.whole), gangs), c.took(), "s"),
		bench.Observed(whose+"longest gap in binding whole gangs", longestGap(c.began, append(c.whole, c.ended)).Seconds(), "s"),
	}
}

func churnOurs(ctx context.Context, l *lab.Lab, o *options) (churned, []bench.Bar, error) {
	if err := l.BringUpPlatform(ctx); err != nil {
		return churned{}, nil, err
	}
	b, err := l.Batch(ctx, "churn")
	if err != nil {
		return churned{}, nil, err
	}
	before, err := l.Writes(ctx)
	if err != nil {
		return churned{}, nil, err
	}
	gangs, pods := mixed(o.churn.large, o.churn.small), o.churn.pods()
	began := time.Now()
	if err := lab.Submit(ctx, b, gangs); err != nil {
		return churned{}, nil, err
	}
	if err := b.Placed.Await(ctx, len(gangs)); err != nil {
		return churned{}, nil, fmt.Errorf("placing gangs: %w", err)
	}
	if err := b.Whole.Await(ctx, len(gangs)); err != nil {
		return churned{}, nil, fmt.Errorf("binding pods: %w", err)
	}
	after, err := l.Writes(ctx)
	if err != nil {
		return churned{}, nil, err
	}
	c := churned{began, b.Whole.Last(), b.Whole.Times()}
	return c, append([]bench.Bar{
		bench.AtMost("longest gap in placing gangs", longestGap(began, b.Placed.Times()).Seconds(), "s", gapLimit),
		bench.Observed(fmt.Sprintf("%d gangs placed", len(gangs)), b.Placed.Last().Sub(began).Seconds(), "s"),
		bench.Observed("longest gap in binding pods", longestGap(began, b.Bound.Times()).Seconds(), "s"),
		writesBar("API writes per pod, up to the last one bound", after.Since(before), pods),
	}, c.bars("", len(gangs))...), nil
}

// churnUpstream gives up after a time: then what is compared with is the least that
// upstream's scheduler would have needed.
func churnUpstream(ctx context.Context, l *lab.Lab, o *options) (churned, []bench.Bar, error) {
	if err := l.StartUpstream(ctx); err != nil {
		return churned{}, nil, err
	}
	b, err := l.Batch(ctx, "churn")
	if err != nil {
		return churned{}, nil, err
	}
	before, err := l.Writes(ctx)
	if err != nil {
		return churned{}, nil, err
	}
	gangs := mixed(o.churn.large, o.churn.small)
	c := churned{began: time.Now()}
	patient, cancel := context.WithTimeout(ctx, o.churn.patience)
	defer cancel()
	if err = lab.SubmitGroups(patient, b, gangs); err == nil {
		err = b.Whole.Await(patient, len(gangs))
	}
	switch c.whole = b.Whole.Times(); {
	case err == nil:
		c.ended = b.Whole.Last()
	case ctx.Err() == nil && patient.Err() != nil:
		say("upstream's scheduler is given up after %s", o.churn.patience)
		c.ended = time.Now()
	default:
		return c, nil, fmt.Errorf("waiting for upstream's scheduler: %w", err)
	}
	after, err := l.Writes(ctx)
	if err != nil {
		return c, nil, err
	}
	bars := c.bars("upstream: ", len(gangs))
	return c, append(bars, writesBar("upstream: API writes per pod, up to the last one bound", after.Since(before), max(len(b.Bound.Times()), 1))), nil
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
