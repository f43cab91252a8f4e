// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/test/scale/lab"
)

const (
	// restartLimit in seconds, from the start of the process to a decision written.
	restartLimit = 10
	// restartGang is how many pods a gang has of those that run.
	restartGang = 100
)

// measureRestart kills the platform of a cluster that is full of gangs, submits
// one more meanwhile, and starts the platform again.
func measureRestart(ctx context.Context, o *options) ([]bench.Bar, error) {
	return inLab(ctx, o, o.restart.nodes, func(ctx context.Context, l *lab.Lab) ([]bench.Bar, error) {
		began := time.Now()
		writes, err := populate(ctx, l, o.restart.pods)
		if err != nil {
			return nil, err
		}
		say("%d pods run after %.1f s", o.restart.pods, time.Since(began).Seconds())
		if err := l.KillPlatform(); err != nil {
			return nil, err
		}
		took, err := restart(ctx, l)
		if err != nil {
			return nil, err
		}
		return []bench.Bar{
			bench.AtMost(fmt.Sprintf("%d nodes and %d pods, start to first decision", o.restart.nodes, o.restart.pods), took, "s", restartLimit),
			writesBar("API writes per pod while they were made", writes, o.restart.pods),
		}, nil
	})
}

// populate the cluster with gangs whose pods run without end.
func populate(ctx context.Context, l *lab.Lab, pods int) (lab.Writes, error) {
	if err := l.StartPlatform(); err != nil {
		return nil, err
	}
	b, err := l.Batch(ctx, "running")
	if err != nil {
		return nil, err
	}
	before, err := l.Writes(ctx)
	if err != nil {
		return nil, err
	}
	some := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("4")}
	var gangs []*slipwayv1.Gang
	for left := pods; left > 0; left -= restartGang {
		gangs = append(gangs, newGang(fmt.Sprintf("gang-%04d", len(gangs)), min(left, restartGang), some))
	}
	if err := lab.Submit(ctx, b, gangs); err != nil {
		return nil, err
	}
	if err := b.Running.Await(ctx, pods); err != nil {
		return nil, fmt.Errorf("starting pods: %w", err)
	}
	after, err := l.SettledWrites(ctx)
	return after.Since(before), err
}

// restart is the seconds from the start of the platform's process until the gang
// that was waiting for it is seen placed.
func restart(ctx context.Context, l *lab.Lab) (float64, error) {
	b, err := l.Batch(ctx, "waiting")
	if err != nil {
		return 0, err
	}
	if err := lab.Submit(ctx, b, []*slipwayv1.Gang{newGang("one", 1, gpus(1))}); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := l.StartPlatform(); err != nil {
		return 0, err
	}
	if err := b.Placed.Await(ctx, 1); err != nil {
		return 0, fmt.Errorf("waiting for a decision: %w", err)
	}
	return b.Placed.Last().Sub(began).Seconds(), nil
}
