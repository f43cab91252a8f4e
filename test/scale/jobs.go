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

// pairOf is the rate of bound pods and then that of what is submitted.
func pairOf(ctx context.Context, l *lab.Lab, o *options, kind string, submit func(*lab.Batch) error) ([]bench.Bar, error) {
	able, err := boundRate(ctx, l, o, "bound-before-"+kind)
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
	rate, first, writes, err := startedRate(ctx, l, b, o.jobs.jobs)
	if err != nil {
		return nil, err
	}
	if err := l.KillPlatform(); err != nil {
		return nil, err
	}
	return []bench.Bar{
		bench.Observed("pods bound before "+kind+", without a scheduler", able, "pods/s"),
		bench.Observed(kind+" bound", rate, "pods/s"),
		bench.Observed(kind+", from start of the platform to first pod bound", first, "s"),
		bench.AtLeast(kind+", share of what the API server takes", 100*rate/able, "%", leastShare),
		writesBar(kind+", API writes per pod", writes, o.jobs.jobs),
	}, b.Remove(ctx)
}

// boundRate is how many pods a second the API server takes that have their node.
func boundRate(ctx context.Context, l *lab.Lab, o *options, name string) (float64, error) {
	b, err := l.Batch(ctx, name)
	if err != nil {
		return 0, err
	}
	var pods []*corev1.Pod
	for i := range o.jobs.jobs {
		pods = append(pods, lab.BoundPod(fmt.Sprintf("job-%05d", i), fakenode.Name(i%o.jobs.nodes), gpus(1)))
	}
	began := time.Now()
	if err := lab.Submit(ctx, b, pods); err != nil {
		return 0, err
	}
	if err := b.Bound.Await(ctx, len(pods)); err != nil {
		return 0, err
	}
	took := b.Bound.Last().Sub(began)
	if err := b.Running.Await(ctx, len(pods)); err != nil {
		return 0, err
	}
	return float64(len(pods)) / took.Seconds(), b.Remove(ctx)
}

// startedRate counts from the start of the platform's process.
func startedRate(ctx context.Context, l *lab.Lab, b *lab.Batch, pods int) (rate, first float64, writes lab.Writes, err error) {
	before, err := l.Writes(ctx)
	if err != nil {
		return 0, 0, nil, err
	}
	began := time.Now()
	if err := l.StartPlatform(); err != nil {
		return 0, 0, nil, err
	}
	if err := b.Bound.Await(ctx, pods); err != nil {
		return 0, 0, nil, fmt.Errorf("binding pods: %w", err)
	}
	first = b.Bound.Times()[0].Sub(began).Seconds()
	rate = float64(pods) / b.Bound.Last().Sub(began).Seconds()
	if err := b.Running.Await(ctx, pods); err != nil {
		return 0, 0, nil, fmt.Errorf("starting pods: %w", err)
	}
	after, err := l.SettledWrites(ctx)
	return rate, first, after.Since(before), err
}
