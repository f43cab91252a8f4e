// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/test/scale/fakenode"
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

// workloadQueue is a Project, and what was submitted to it.
type workloadQueue struct {
	project string
	batch   *lab.Batch
	// submitted workloads by class.
	submitted [][]submittedGang
}

type submittedGang struct {
	gang *slipwayv1.Gang
	at   time.Time
}

func (q *workloadQueue) count() int {
	count := 0
	for _, some := range q.submitted {
		count += len(some)
	}
	return count
}

// newQueues makes the tree of Projects, and a namespace for each queue.
func newQueues(ctx context.Context, l *lab.Lab, o *options) ([]*workloadQueue, error) {
	var queues []*workloadQueue
	for i := range o.workloads.cohorts {
		cohort := fmt.Sprintf("cohort-%d", i)
		whole := int64(queueNominal * o.workloads.queues)
		if err := l.Client.Create(ctx, newProject(cohort, "", coreQuota(whole, whole))); err != nil {
			return nil, fmt.Errorf("making project %s: %w", cohort, err)
		}
		for j := range o.workloads.queues {
			name := fmt.Sprintf("%s-queue-%d", cohort, j)
			if err := l.Client.Create(ctx, newProject(name, cohort, coreQuota(queueNominal, queueNominal+queueBorrows))); err != nil {
				return nil, fmt.Errorf("making project %s: %w", name, err)
			}
			b, err := l.Batch(ctx, name)
			if err != nil {
				return nil, err
			}
			b.Podless = true
			queues = append(queues, &workloadQueue{project: name, batch: b, submitted: make([][]submittedGang, len(workloadClasses))})
		}
	}
	return queues, nil
}

func coreQuota(guaranteed, limit int64) slipwayv1.Quota {
	return slipwayv1.Quota{
		Resource:   corev1.ResourceCPU,
		Guaranteed: *resource.NewQuantity(guaranteed, resource.DecimalSI),
		Limit:      resource.NewQuantity(limit, resource.DecimalSI),
	}
}

// submitPaced submits to all queues at a time, and of each class one after another
// in its time.
func submitPaced(ctx context.Context, queues []*workloadQueue, each int) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, q := range queues {
		for i := range workloadClasses {
			group.Go(func() error { return q.submit(ctx, i, each) })
		}
	}
	return group.Wait()
}

func (q *workloadQueue) submit(ctx context.Context, i, each int) error {
	class := &workloadClasses[i]
	tick := time.NewTicker(class.every)
	defer tick.Stop()
	for number := range class.of(each) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		w := submittedGang{class.gang(q.project, number), time.Now()}
		if err := lab.Submit(ctx, q.batch, []*slipwayv1.Gang{w.gang}); err != nil {
			return err
		}
		q.submitted[i] = append(q.submitted[i], w)
	}
	return nil
}

func (c *workloadClass) gang(project string, number int) *slipwayv1.Gang {
	gang := newGang(fmt.Sprintf("%s-%04d", c.name, number), 1,
		corev1.ResourceList{corev1.ResourceCPU: *resource.NewQuantity(c.cores, resource.DecimalSI)})
	gang.Annotations = map[string]string{fakenode.AnnotationRunTime: c.runs.String()}
	gang.Spec.Project, gang.Spec.Priority = project, c.priority
	return gang
}
