// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/test/scale/fakenode"
	"slipway.dev/slipway/test/scale/lab"
)

// leastShare in percent: within a quarter of what the API server can take.
const leastShare = 75

// measureJobs binds thousands of one-GPU jobs that wait when the platform starts, as
// Gangs, as PyTorchJobs and as bare pods that name the scheduler, and compares with pods
// that come with their node: both go through the same API server, the same kubelets and
// as many requests at a time. Bare pods are there before, and are only bound. Each is
// compared with the rate just before it, for the machine may be others' too.
func measureJobs(ctx context.Context, o *options) ([]bench.Bar, error) {
	return inLab(ctx, o, o.jobs.nodes, func(ctx context.Context, l *lab.Lab) ([]bench.Bar, error) {
		gangs, err := pairOf(ctx, l, o, "gangs", func(b *lab.Batch) error {
			return lab.Submit(ctx, b, numbered(o.jobs.jobs, func(name string) *slipwayv1.Gang { return newGang(name, 1, gpus(1)) }))
		})
		if err != nil {
			return gangs, err
		}
		jobs, err := pairOf(ctx, l, o, "pytorchjobs", func(b *lab.Batch) error {
			return lab.Submit(ctx, b, numbered(o.jobs.jobs, func(name string) *kubeflowv1.PyTorchJob { return newJob(name, 1, gpus(1)) }))
		})
		if err != nil {
			return append(gangs, jobs...), err
		}
		pods, err := pairOf(ctx, l, o, "pods", func(b *lab.Batch) error {
			return lab.Submit(ctx, b, numbered(o.jobs.jobs, func(name string) *corev1.Pod { return lab.WaitingPod(name, gpus(1)) }))
		})
		return slices.Concat(gangs, jobs, pods), err
	})
}

// numbered objects, by name.
func numbered[T any](count int, make func(name string) T) []T {
	var all []T
	for i := range count {
		all = append(all, make(fmt.Sprintf("job-%05d", i)))
	}
	return all
}

// pairOf is the rate of bound pods and then that of what is submitted, and what each of
// both costs the API server.
func pairOf(ctx context.Context, l *lab.Lab, o *options, kind string, submit func(*lab.Batch) error) ([]bench.Bar, error) {
	able, least, err := boundRate(ctx, l, o, "bound-before-"+kind)
	if err != nil {
		return nil, err
	}
	b, err := l.Batch(ctx, kind)
	if err != nil {
		return nil, err
	}
	if err := submit(b); err != nil {
		return nil, err
	}
	got, err := startedRate(ctx, l, b, o.jobs.jobs)
	if err != nil {
		return nil, err
	}
	if err := l.KillPlatform(); err != nil {
		return nil, err
	}
	return []bench.Bar{
		bench.Observed("pods bound before "+kind+", without a scheduler", able, "pods/s"),
		bench.Observed(kind+" bound", got.rate, "pods/s"),
		bench.Observed(kind+", from start of the platform to first pod bound", got.first, "s"),
		bench.AtLeast(kind+", share of what the API server takes", 100*got.rate/able, "%", leastShare),
		writesBar(kind+", API writes per pod", got.writes, o.jobs.jobs),
		bench.Observed("pods bound before "+kind+", processor time of the API server for each", milliseconds(least, o.jobs.jobs), "ms"),
		bench.Observed(kind+", processor time of the API server for each", milliseconds(got.processor, o.jobs.jobs), "ms"),
	}, b.Remove(ctx)
}

// milliseconds for each of so many.
func milliseconds(all time.Duration, count int) float64 {
	return all.Seconds() * 1000 / float64(count)
}

// boundRate is how many pods a second the API server takes that have their node, and the
// processor time that it takes for all of them.
func boundRate(ctx context.Context, l *lab.Lab, o *options, name string) (rate float64, processor time.Duration, err error) {
	b, err := l.Batch(ctx, name)
	if err != nil {
		return 0, 0, err
	}
	var pods []*corev1.Pod
	for i := range o.jobs.jobs {
		pods = append(pods, lab.BoundPod(fmt.Sprintf("job-%05d", i), fakenode.Name(i%o.jobs.nodes), gpus(1)))
	}
	before, err := l.Processor(ctx)
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := lab.Submit(ctx, b, pods); err != nil {
		return 0, 0, err
	}
	if err := b.Bound.Await(ctx, len(pods)); err != nil {
		return 0, 0, err
	}
	took := b.Bound.Last().Sub(began)
	if err := b.Running.Await(ctx, len(pods)); err != nil {
		return 0, 0, err
	}
	after, err := l.Processor(ctx)
	if err != nil {
		return 0, 0, err
	}
	return float64(len(pods)) / took.Seconds(), after - before, b.Remove(ctx)
}

// started is what it took to bind and start pods.
type started struct {
	// rate of pods bound a second, and first of them after so many seconds, from the
	// start of the platform's process.
	rate, first float64
	// writes, and processor time of the API server, until nothing more was written.
	writes    lab.Writes
	processor time.Duration
}

// startedRate counts from the start of the platform's process.
func startedRate(ctx context.Context, l *lab.Lab, b *lab.Batch, pods int) (out started, err error) {
	before, err := l.Writes(ctx)
	if err != nil {
		return started{}, err
	}
	idle, err := l.Processor(ctx)
	if err != nil {
		return started{}, err
	}
	began := time.Now()
	if err := l.StartPlatform(); err != nil {
		return started{}, err
	}
	if err := b.Bound.Await(ctx, pods); err != nil {
		return started{}, fmt.Errorf("binding pods: %w", err)
	}
	out.first = b.Bound.Times()[0].Sub(began).Seconds()
	out.rate = float64(pods) / b.Bound.Last().Sub(began).Seconds()
	if err := b.Running.Await(ctx, pods); err != nil {
		return started{}, fmt.Errorf("starting pods: %w", err)
	}
	after, err := l.SettledWrites(ctx)
	if err != nil {
		return started{}, err
	}
	out.writes = after.Since(before)
	used, err := l.Processor(ctx)
	out.processor = used - idle
	return out, err
}
