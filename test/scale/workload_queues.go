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
	"slipway.dev/slipway/test/scale/fakenode"
	"slipway.dev/slipway/test/scale/lab"
)

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
