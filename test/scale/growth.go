// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"

	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/test/scale/lab"
)

const (
	// growthLimit: cost follows what changed, not the size of the cluster.
	growthLimit = 1.5
	growthPods  = 4
)

// measureGrowth submits the same jobs to clusters of several sizes and compares
// how often the API server is written to for each pod.
func measureGrowth(ctx context.Context, o *options) (bars []bench.Bar, err error) {
	var all []float64
	for _, nodes := range o.growthAt {
		size := fmt.Sprintf("%d nodes", nodes)
		some, err := inLab(ctx, o, nodes, func(ctx context.Context, l *lab.Lab) ([]bench.Bar, error) {
			return growthAt(ctx, l, o.growth.jobs)
		})
		for _, bar := range some {
			bar.Bar = size + ", " + bar.Bar
			bars = append(bars, bar)
		}
		if err != nil {
			return bars, err
		}
		all = append(all, some[0].Value)
	}
	return append(bars, bench.AtMost("API writes per pod, most to least", slices.Max(all)/slices.Min(all), "", growthLimit)), nil
}

// growthAt returns the writes per pod first.
func growthAt(ctx context.Context, l *lab.Lab, jobs int) ([]bench.Bar, error) {
	b, err := l.Batch(ctx, "growth")
	if err != nil {
		return nil, err
	}
	err = lab.Submit(ctx, b, numbered(jobs, func(name string) *kubeflowv1.PyTorchJob { return newJob(name, growthPods, gpus(1)) }))
	if err != nil {
		return nil, err
	}
	pods := jobs * growthPods
	got, err := startedRate(ctx, l, b, (*lab.Lab).StartPlatform, pods)
	if err != nil {
		return nil, err
	}
	return []bench.Bar{
		writesBar("API writes per pod", got.writes, pods),
		bench.Observed("pods bound", got.rate, "pods/s"),
		bench.Observed("start of the platform to first pod bound", got.first, "s"),
	}, nil
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
