// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/test/scale/fakenode"
	"slipway.dev/slipway/test/scale/lab"
)

const (
	// verdictLimit in seconds, for the slowest of them.
	verdictLimit = 1
	// verdictPods of 8 GPUs each is what the gangs ask for.
	verdictPods = 10
)

// measureVerdict asks for ten whole nodes of a cluster that has none left, and
// waits for the reason.
func measureVerdict(ctx context.Context, o *options) ([]bench.Bar, error) {
	return inLab(ctx, o, o.verdict.nodes, func(ctx context.Context, l *lab.Lab) ([]bench.Bar, error) {
		if err := fill(ctx, l, o.verdict.nodes); err != nil {
			return nil, err
		}
		if err := l.BringUpPlatform(ctx); err != nil {
			return nil, err
		}
		before, err := l.SettledWrites(ctx)
		if err != nil {
			return nil, err
		}
		gangs, err := verdicts(ctx, l, o, "gang", newVerdictGang)
		if err != nil {
			return nil, err
		}
		jobs, err := verdicts(ctx, l, o, "pytorchjob", newVerdictJob)
		if err != nil {
			return gangs, err
		}
		after, err := l.SettledWrites(ctx)
		if err != nil {
			return gangs, err
		}
		asked := 2 * o.verdict.times
		return append(append(gangs, jobs...), writesBar("API writes per gang that waits, its making and deleting included",
			after.Since(before), asked)), nil
	})
}

func newVerdictGang(name string) client.Object { return newGang(name, verdictPods, gpus(8)) }

func newVerdictJob(name string) client.Object { return newJob(name, verdictPods, gpus(8)) }

// fill every node with one pod that takes all its GPUs.
func fill(ctx context.Context, l *lab.Lab, nodes int) error {
	b, err := l.Batch(ctx, "full")
	if err != nil {
		return err
	}
	var pods []*corev1.Pod
	for i := range nodes {
		pods = append(pods, lab.BoundPod(fmt.Sprintf("full-%05d", i), fakenode.Name(i), gpus(8)))
	}
	if err := lab.Submit(ctx, b, pods); err != nil {
		return err
	}
	return b.Running.Await(ctx, len(pods))
}

// verdicts on one after another, each of which is deleted when it was told why.
func verdicts(ctx context.Context, l *lab.Lab, o *options, kind string, object func(name string) client.Object) ([]bench.Bar, error) {
	var took []float64
	for i := range o.verdict.times {
		b, err := l.Batch(ctx, fmt.Sprintf("%s-%03d", kind, i))
		if err != nil {
			return nil, err
		}
		began := time.Now()
		if err := lab.Submit(ctx, b, []client.Object{object("no-room")}); err != nil {
			return nil, err
		}
		if err := b.Told.Await(ctx, 1); err != nil {
			return nil, fmt.Errorf("waiting for a reason: %w", err)
		}
		took = append(took, b.Told.Last().Sub(began).Seconds())
		if err := b.Remove(ctx); err != nil {
			return nil, err
		}
	}
	return []bench.Bar{
		bench.Observed(kind+", submitted to a reason, p50", bench.Percentile(took, 50), "s"),
		bench.AtMost(fmt.Sprintf("%s, submitted to a reason, slowest of %d", kind, len(took)), bench.Percentile(took, 100), "s", verdictLimit),
	}, nil
}
