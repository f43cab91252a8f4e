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
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"slipway.dev/slipway/internal/namespace"
	"slipway.dev/slipway/internal/podset"
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
		events: namespace.Recorder(mgr.GetEventRecorder("slipway-scheduler"), mgr.GetClient()),
		ledger: newLedger(),
		ready:  make(chan struct{}), binding: make(chan struct{}),
	}
	s.meters = newMeters(s)
	if err := s.meters.register(metrics.Registry); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	if err := setupDecider(mgr, s); err != nil {
		return nil, fmt.Errorf("setting up the decider: %w", err)
	}
	if err := setupWorkers(mgr, "scheduler-writer", writers, writer{s}, s.attachWriter); err != nil {
		return nil, fmt.Errorf("setting up the writer: %w", err)
	}
	if err := setupWorkers(mgr, "scheduler-binder", binders, binder{s}, s.attachBinder); err != nil {
		return nil, fmt.Errorf("setting up the binder: %w", err)
	}
	return s, mgr.AddMetricsServerExtraHandler(debugPath, debug{s})
}

// setupDecider with one worker: it alone keeps the memory of when it last reworded.
func setupDecider(mgr ctrl.Manager, s *scheduler) error {
	decide := ctrl.NewControllerManagedBy(mgr).
		Named("scheduler-decider").
		WithOptions(controller.Options{MaxConcurrentReconciles: 1})
	kinds := watched()
	if servesPodGroups(mgr.GetRESTMapper()) {
		kinds = append(kinds, &schedulingv1beta1.PodGroup{})
	}
	if podset.ServesDevices(mgr.GetRESTMapper()) {
		kinds = append(kinds, deviceKinds()...)
	}
	for _, kind := range kinds {
		decide = decide.Watches(kind, s.feed())
	}
	return decide.Complete(&decider{scheduler: s})
}

// setupWorkers that watch nothing: what they do is handed to them through their queue,
// which their controller makes when it starts, and attach is told of.
func setupWorkers(mgr ctrl.Manager, name string, workers int, do reconcile.Reconciler, attach func(queue) error) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named(name).
		WatchesRawSource(source.Func(func(_ context.Context, q queue) error { return attach(q) })).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: workers,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[ctrl.Request](firstRetry, lastRetry),
		}).
		Complete(do)
}

func (s *scheduler) attachWriter(q queue) error {
	writes, is := q.(writeQueue)
	if !is {
		return errors.New("the writer's queue knows no priorities")
	}
	s.writes = writes
	close(s.ready)
	return nil
}

func (s *scheduler) attachBinder(q queue) error {
	s.binds = q
	close(s.binding)
	return nil
}
