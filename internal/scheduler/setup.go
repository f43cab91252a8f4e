// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

const (
	// writers is how many statuses are written at a time.
	writers = 8
	// binders is how many pods are bound at a time.
	binders = 16
	// A write that failed is tried again after firstRetry, then ever later, at
	// most after lastRetry.
	firstRetry = 10 * time.Millisecond
	lastRetry  = 10 * time.Second
)

// Setup adds the scheduler to the manager, whose scheme must know the kinds of
// api/v1alpha1 and of Kubernetes. Where the manager elects a leader, only the
// leader decides and writes.
func Setup(mgr ctrl.Manager) error {
	_, err := setup(mgr)
	return err
}

func setup(mgr ctrl.Manager) (*scheduler, error) {
	s := &scheduler{
		client: mgr.GetClient(),
		events: mgr.GetEventRecorder("slipway-scheduler"),
		ledger: newLedger(),
		ready:  make(chan struct{}), binding: make(chan struct{}),
	}
	s.meters = newMeters(s)
	if err := s.meters.register(metrics.Registry); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	// The decider alone keeps the memory of when it last reworded: one worker.
	decide := ctrl.NewControllerManagedBy(mgr).
		Named("scheduler-decider").
		WithOptions(controller.Options{MaxConcurrentReconciles: 1})
	kinds := watched()
	if servesPodGroups(mgr.GetRESTMapper()) {
		kinds = append(kinds, &schedulingv1beta1.PodGroup{})
	}
	for _, kind := range kinds {
		decide = decide.Watches(kind, s.feed())
	}
	if err := decide.Complete(&decider{scheduler: s}); err != nil {
		return nil, fmt.Errorf("setting up the decider: %w", err)
	}
	err := ctrl.NewControllerManagedBy(mgr).
		Named("scheduler-writer").
		WatchesRawSource(source.Func(s.attach)).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: writers,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[ctrl.Request](firstRetry, lastRetry),
		}).
		Complete(writer{s})
	if err != nil {
		return nil, fmt.Errorf("setting up the writer: %w", err)
	}
	err = ctrl.NewControllerManagedBy(mgr).
		Named("scheduler-binder").
		WatchesRawSource(source.Func(func(_ context.Context, q queue) error {
			s.binds = q
			close(s.binding)
			return nil
		})).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: binders,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[ctrl.Request](firstRetry, lastRetry),
		}).
		Complete(binder{s})
	if err != nil {
		return nil, fmt.Errorf("setting up the binder: %w", err)
	}
	return s, mgr.AddMetricsServerExtraHandler(debugPath, debug{s})
}

// attach the writer's queue, which its controller makes when it starts.
func (s *scheduler) attach(_ context.Context, q queue) error {
	writes, is := q.(writeQueue)
	if !is {
		return errors.New("the writer's queue knows no priorities")
	}
	s.writes = writes
	close(s.ready)
	return nil
}
