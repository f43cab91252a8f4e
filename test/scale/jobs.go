// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/test/scale/fakenode"
	"slipway.dev/slipway/test/scale/lab"
)

// leastShare in percent: within a quarter of what the API server can take.
const leastShare = 75

// form of a job of one GPU.
type form struct {
	kind string
	// atLeast such a share of what the API server takes, in percent; 0 for no limit.
	atLeast float64
	submit  func(context.Context, *lab.Batch) error
}

// measureJobs binds thousands of one-GPU jobs that wait when the platform starts, as
// Gangs, as PyTorchJobs and as bare pods that name the scheduler, and compares with pods
// that come with their node: both go through the same API server, the same kubelets and
// as many requests at a time. Bare pods are there before, and are only bound. Each is
// compared with the rate just before it, for the machine may be others' too.
//
// How near anything can come that is more than pods is shown by Kubernetes itself, on a
// cluster of its own: Jobs whose pods have their node, by its own controller and without
// any scheduler.
func measureJobs(ctx context.Context, o *options) ([]bench.Bar, error) {
	n := o.jobs.jobs
	bars, err := inLab(ctx, o, o.jobs.nodes, pairsOf(o, (*lab.Lab).StartPlatform,
		form{"gangs", leastShare, submitting(numbered(n, func(name string) *slipwayv1.Gang { return newGang(name, 1, gpus(1)) }))},
		form{"pytorchjobs", leastShare, submitting(numbered(n, func(name string) *kubeflowv1.PyTorchJob { return newJob(name, 1, gpus(1)) }))},
		form{"pods", leastShare, submitting(numbered(n, func(name string) *corev1.Pod { return lab.WaitingPod(name, gpus(1)) }))},
	))
	if err != nil {
		return bars, err
	}
	upstream, err := inLabOf(ctx, o, o.jobs.nodes, "Kubernetes' job controller", nil, pairsOf(o, (*lab.Lab).StartJobController,
		form{"upstream-jobs", 0, submitting(boundJobs(o))}))
	return append(bars, upstream...), err
}

// pairsOf measures one form after the other (pairOf); start starts the process that makes or binds
// their pods.
func pairsOf(o *options, start func(*lab.Lab) error, forms ...form) func(context.Context, *lab.Lab) ([]bench.Bar, error) {
	return func(ctx context.Context, l *lab.Lab) (all []bench.Bar, err error) {
		for _, f := range forms {
			bars, err := pairOf(ctx, l, o, start, f)
			all = append(all, bars...)
			if err != nil {
				return all, err
			}
		}
		return all, nil
	}
}

// numbered objects, by name.
func numbered[T any](count int, make func(name string) T) []T {
	var all []T
	for i := range count {
		all = append(all, make(fmt.Sprintf("job-%05d", i)))
	}
	return all
}

// boundJobs are Jobs whose pods have their node.
func boundJobs(o *options) []*batchv1.Job {
	jobs := numbered(o.jobs.jobs, func(name string) *batchv1.Job { return lab.NewJob(name, gpus(1)) })
	for i, job := range jobs {
		job.Spec.Template.Spec.NodeName = fakenode.Name(i % o.jobs.nodes)
	}
	return jobs
}

// submitting all of them.
func submitting[T client.Object](all []T) func(context.Context, *lab.Batch) error {
	return func(ctx context.Context, b *lab.Batch) error { return lab.Submit(ctx, b, all) }
}

// pairOf is the rate of bound pods and then that of what is submitted, and what each of
// both costs the API server.
func pairOf(ctx context.Context, l *lab.Lab, o *options, start func(*lab.Lab) error, f form) ([]bench.Bar, error) {
	able, least, err := boundRate(ctx, l, o, "bound-before-"+f.kind)
	if err != nil {
		return nil, err
	}
	b, err := l.Batch(ctx, f.kind)
	if err != nil {
		return nil, err
	}
	if err := f.submit(ctx, b); err != nil {
		return nil, err
	}
	got, err := startedRate(ctx, l, b, start, o.jobs.jobs)
	if err != nil {
		return nil, err
	}
	if err := l.KillPlatform(); err != nil {
		return nil, err
	}
	share := bench.Observed(f.kind+", share of what the API server takes", 100*got.rate/able, "%")
	if f.atLeast > 0 {
		share = bench.AtLeast(share.Bar, 100*got.rate/able, share.Unit, f.atLeast)
	}
	return []bench.Bar{
		bench.Observed("pods bound before "+f.kind+", without a scheduler", able, "pods/s"),
		bench.Observed(f.kind+" bound", got.rate, "pods/s"),
		bench.Observed(f.kind+", from start of the process to first pod bound", got.first, "s"),
		share,
		writesBar(f.kind+", API writes per pod", got.writes, o.jobs.jobs),
		bench.Observed("pods bound before "+f.kind+", processor time of the API server for each", milliseconds(least, o.jobs.jobs), "ms"),
		bench.Observed(f.kind+", processor time of the API server for each", milliseconds(got.processor, o.jobs.jobs), "ms"),
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
	// start of the process.
	rate, first float64
	// writes, and processor time of the API server, until nothing more was written.
	writes    lab.Writes
	processor time.Duration
}

// startedRate counts from the start of the process that makes or binds pods.
func startedRate(ctx context.Context, l *lab.Lab, b *lab.Batch, start func(*lab.Lab) error, pods int) (out started, err error) {
	before, err := l.Writes(ctx)
	if err != nil {
		return started{}, err
	}
	idle, err := l.Processor(ctx)
	if err != nil {
		return started{}, err
	}
	began := time.Now()
	if err := start(l); err != nil {
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
