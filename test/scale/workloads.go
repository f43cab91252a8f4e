// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/test/scale/lab"
)

const (
	// workloadsLimit in seconds, for all of them.
	workloadsLimit = 120
	// workloadsNodes have room for whatever quotas let in.
	workloadsNodes = 30
	// Cores of a queue: those that it has, and those that it may have beside them.
	queueNominal, queueBorrows = 20, 100
)

// workloadClass is one kind of workload of which every queue has some.
type workloadClass struct {
	name string
	// share of a queue's workloads, in tenths.
	share int
	// every so often one is submitted to each queue.
	every, runs time.Duration
	priority    int32
	cores       int64
}

// workloadClasses, and the quotas above, are those of Kueue's own performance test:
// https://github.com/kubernetes-sigs/kueue/blob/main/test/performance/scheduler/configs/baseline/generator.yaml
// The rangespec.yaml beside it says what Kueue needs: 351 s, with 58.7 % of the
// quota in use; a workload waits for 6.7 s (large), 76.8 s (medium) or 215 s (small)
// on average.
var workloadClasses = []workloadClass{
	{"small", 7, 100 * time.Millisecond, 200 * time.Millisecond, 50, 1},
	{"medium", 2, 500 * time.Millisecond, 500 * time.Millisecond, 100, 5},
	{"large", 1, 1200 * time.Millisecond, time.Second, 200, 20},
}

// measureWorkloads submits workloads of three classes to the queues of several
// cohorts, while the platform runs, until the last of them has run for its time. As
// in Kueue's test there are no pods: a workload runs from the moment at which its
// place is seen.
//
// What Kueue calls a cohort is here a Project with as much quota as its queues
// together, of which it borrows nothing; a ClusterQueue is a Project below it. Kueue
// preempts whatever was lent when a queue asks for its own, and lower priorities
// within a queue; so does Slipway. A workload that has run is a condition there, and
// a Gang that was deleted here. Kueue has no nodes in this test, and here there are
// more than quotas let anybody use.
func measureWorkloads(ctx context.Context, o *options) ([]bench.Bar, error) {
	return inLab(ctx, o, workloadsNodes, func(ctx context.Context, l *lab.Lab) ([]bench.Bar, error) {
		if err := l.BringUpPlatform(ctx); err != nil {
			return nil, err
		}
		queues, err := newQueues(ctx, l, o)
		if err != nil {
			return nil, err
		}
		before, err := l.SettledWrites(ctx)
		if err != nil {
			return nil, err
		}
		began := time.Now()
		if err := submitPaced(ctx, queues, o.workloads.each); err != nil {
			return nil, err
		}
		submitted := time.Since(began)
		var last time.Time
		for _, q := range queues {
			if err := q.batch.Ended.Await(ctx, q.count()); err != nil {
				return nil, fmt.Errorf("waiting for workloads of %s to end: %w", q.project, err)
			}
			if ended := q.batch.Ended.Last(); ended.After(last) {
				last = ended
			}
		}
		after, err := l.SettledWrites(ctx)
		if err != nil {
			return nil, err
		}
		return workloadBars(o, queues, submitted, last.Sub(began), after.Since(before)), nil
	})
}

func workloadBars(o *options, queues []*workloadQueue, submitted, took time.Duration, writes lab.Writes) []bench.Bar {
	all, evicted := 0, 0
	for _, q := range queues {
		all += q.count()
		evicted += len(q.batch.Evicted.Times())
	}
	ideal := idealTime(o.workloads.each)
	bars := []bench.Bar{
		bench.AtMost(fmt.Sprintf("%d workloads of %s of ideal work, first submitted to last ended", all, ideal.Round(time.Second)),
			took.Seconds(), "s", workloadsLimit),
		bench.Observed("use of the quota until then", 100*ideal.Seconds()/took.Seconds(), "%"),
		bench.Observed("all submitted", submitted.Seconds(), "s"),
	}
	for i, class := range workloadClasses {
		sum, count := 0.0, 0
		for _, q := range queues {
			for _, w := range q.submitted[i] {
				if at, is := q.batch.Placed.Of(w.gang.UID); is {
					sum += at.Sub(w.at).Seconds()
					count++
				}
			}
		}
		bars = append(bars, bench.Observed(class.name+", submitted to placed, mean", sum/float64(count), "s"))
	}
	return append(bars,
		bench.Observed("workloads that gave way at least once", float64(evicted), ""),
		writesBar("API writes per workload", writes, all))
}

// idealTime is how long the work of a queue takes on the cores that it has; all
// queues have the same.
func idealTime(each int) time.Duration {
	work := time.Duration(0)
	for _, class := range workloadClasses {
		work += time.Duration(class.of(each)) * class.runs * time.Duration(class.cores)
	}
	return work / queueNominal
}

// of a queue's workloads, how many are of the class.
func (c *workloadClass) of(each int) int { return each * c.share / 10 }
