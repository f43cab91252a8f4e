// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

const (
	// batch is how long the decider waits for more changes after the first.
	batch = 2 * time.Millisecond
	// rewordEvery and rewordLimit bound what a busy cluster costs while gangs wait.
	rewordEvery = time.Second
	rewordLimit = 20
	// planEvery, and planBreather times as long as it took, bound what planning costs
	// while the cluster changes.
	planEvery    = 250 * time.Millisecond
	planBreather = 5
)

// scheduler is the ledger with a lock, and what decider and writer need beside it.
type scheduler struct {
	client client.Client
	events events.EventRecorder
	meters *meters

	mu     sync.Mutex
	ledger *ledger

	// writes is the writer's queue; it is there once ready is closed.
	writes writeQueue
	ready  chan struct{}
	// binds is the binder's queue; it is there once binding is closed.
	binds   queue
	binding chan struct{}
}

type queue = workqueue.TypedRateLimitingInterface[ctrl.Request]

// writeQueue is the kind of queue that controllers have unless they are told otherwise.
type writeQueue = priorityqueue.PriorityQueue[ctrl.Request]

// decider decides when something changed. Its requests carry nothing.
type decider struct {
	*scheduler
	// reworded is when that was last done; planned likewise, and breather is how long
	// nothing is planned after that.
	reworded, planned time.Time
	breather          time.Duration
}

// feed is what hears of changes.
func (s *scheduler) feed() handler.EventHandler {
	wake := func(q queue, news bool) {
		if news {
			q.AddAfter(ctrl.Request{}, batch)
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) { wake(q, s.set(e.Object)) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			// After a lost watch, one object in another's stead may look like a change of it.
			if e.ObjectOld.GetUID() != e.ObjectNew.GetUID() {
				wake(q, s.remove(e.ObjectOld))
			}
			wake(q, s.set(e.ObjectNew))
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) { wake(q, s.remove(e.Object)) },
	}
}

func (s *scheduler) set(o client.Object) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.set(o)
}

func (s *scheduler) remove(o client.Object) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.remove(o)
}

// Reconcile makes one decision on everything. The controller calls it only after
// feed has heard of all that there is.
func (d *decider) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	select {
	case <-d.ready:
	case <-ctx.Done():
		return ctrl.Result{}, ctx.Err()
	}
	select {
	case <-d.binding:
	case <-ctx.Done():
		return ctrl.Result{}, ctx.Err()
	}
	now := time.Now()
	due := now.Sub(d.reworded) >= rewordEvery
	if due {
		d.reworded = now
	}
	changed, again := d.decide(now, due)
	planned, next := d.plan(now)
	again = sooner(again, next)
	d.enqueue(append(changed, planned...))
	d.release()
	if again.IsZero() {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{RequeueAfter: max(time.Until(again), time.Millisecond)}, nil
}

// Priorities of what is to be written.
var (
	urgent   = ptr.To(1)
	ordinary = ptr.To(0)
)

// enqueue what is to be written: gangs that got or gave up places before those that
// are told why they wait, of whom there may be thousands.
func (s *scheduler) enqueue(changed []types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range changed {
		priority := ordinary
		if s.ledger.moved(name) {
			priority = urgent
		}
		s.writes.AddWithOpts(priorityqueue.AddOpts{Priority: priority}, ctrl.Request{NamespacedName: name})
	}
}

// decide returns the gangs to write, and when to decide again though nothing may
// change until then; zero for never.
func (d *decider) decide(now time.Time, reword bool) ([]types.NamespacedName, time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	began := time.Now()
	decided := d.ledger.decide(now)
	d.meters.decided(d.ledger.takeTally(), time.Since(began))
	limit := 0
	if reword {
		limit = rewordLimit
	}
	reworded, stale := d.ledger.reword(limit)
	again := sooner(sooner(momentOf(d.ledger.picture.NextLoss()), d.ledger.nextUnpin()), d.ledger.nextMourn())
	if stale {
		again = sooner(again, d.reworded.Add(rewordEvery))
	}
	return append(decided, reworded...), again
}

// plan, unless that was done just now. It returns when to do it next though nothing may
// change until then; zero for never.
func (d *decider) plan(now time.Time) ([]types.NamespacedName, time.Time) {
	if due := d.planned.Add(d.breather); now.Before(due) {
		return nil, due
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	began := time.Now()
	changed := append(d.ledger.plan(), d.ledger.changedProjects(now)...)
	d.planned = time.Now()
	d.meters.planned(d.ledger.takeTally(), d.planned.Sub(began))
	d.breather = max(planEvery, planBreather*d.planned.Sub(now))
	return changed, sooner(momentOf(d.ledger.picture.NextRight()), momentOf(d.ledger.picture.NextDue()))
}

// momentOf what placement says when, if it says so; zero is never.
func momentOf(seconds int64, is bool) time.Time {
	if !is {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

// sooner of two moments, of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// writer writes the answer to one gang into its status, and what a project uses
// into the project's.
type writer struct{ *scheduler }

// Reconcile writes once, and only a change. When somebody changed the gang in the
// meantime feed hears of it and comes back here.
func (w writer) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	if request.Namespace == "" {
		err := w.writeProject(ctx, request.Name)
		if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, err
	}
	d, changed := w.draft(request.NamespacedName)
	if !changed {
		return ctrl.Result{}, nil
	}
	gang, err := w.write(ctx, d)
	w.meters.wrote("Gang", err)
	switch {
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return ctrl.Result{}, nil
	case err != nil:
		return ctrl.Result{}, err
	}
	w.mu.Lock()
	w.ledger.written(d, gang.ResourceVersion)
	waited := w.ledger.flush()
	w.mu.Unlock()
	w.enqueue(waited)
	w.release()
	if e, news := eventOf(d); news {
		w.events.Eventf(gang, nil, e.Type, e.Reason, e.Action, "%s", e.Note)
	}
	return ctrl.Result{}, nil
}

func (w writer) draft(name types.NamespacedName) (*draft, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ledger.draft(name, time.Now())
}

// write the whole status of the very gang that was last seen, in that version. The
// rest of the gang is left out: the API server takes it from what it has, and an
// update of so little costs it a fifth less than a patch.
func (w writer) write(ctx context.Context, d *draft) (*slipwayv1.Gang, error) {
	gang := &slipwayv1.Gang{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.name.Namespace, Name: d.name.Name, UID: d.uid, ResourceVersion: d.version},
		Status:     *d.new.DeepCopy(),
	}
	if err := w.client.Status().Update(ctx, gang); err != nil {
		return nil, fmt.Errorf("writing the status of gang %s: %w", d.name, err)
	}
	return gang, nil
}

// watched are the kinds that feed hears of.
func watched() []client.Object {
	return []client.Object{
		&corev1.Node{}, &corev1.Namespace{}, &corev1.Pod{}, &slipwayv1.Project{}, &slipwayv1.Gang{},
		&corev1.PersistentVolumeClaim{}, &corev1.PersistentVolume{}, &storagev1.StorageClass{},
	}
}
