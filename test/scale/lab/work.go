// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/util/workqueue"
)

// parallel is how many requests of the lab are under way at a time, whoever they
// stand for: as many as the training controller has for one job.
const parallel = 16

// Each does something for each of so many, a few at a time, until one fails.
func Each(ctx context.Context, count int, do func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i := range count {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

// task is one request to be made in the background.
type task struct {
	do func(context.Context) error
}

// backlog is tasks to be done a few at a time, in order. Adding one never waits.
type backlog struct {
	queue workqueue.TypedInterface[*task]
	fail  func(error)
}

func newBacklog(fail func(error)) *backlog {
	return &backlog{workqueue.NewTyped[*task](), fail}
}

func (b *backlog) add(do func(context.Context) error) { b.queue.Add(&task{do}) }

// run until ctx ends.
func (b *backlog) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, b.queue.ShutDown)
	defer stop()
	var group sync.WaitGroup
	for range parallel {
		group.Go(func() { b.work(ctx) })
	}
	group.Wait()
}

func (b *backlog) work(ctx context.Context) {
	for {
		next, closed := b.queue.Get()
		if closed {
			return
		}
		err := next.do(ctx)
		b.queue.Done(next)
		if err != nil && ctx.Err() == nil {
			b.fail(err)
		}
	}
}
