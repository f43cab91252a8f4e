// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"context"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/clip"
)

const (
	// staleDelay is when to look again after a conflict, should the event of the
	// newer version not come first.
	staleDelay = time.Second
	// blockedDelay is how long to wait before looking again for what is not watched.
	blockedDelay = 30 * time.Second
)

// reconciler queues Jobs.
type reconciler struct {
	client client.Client
	// live reads past the cache, for what may be too new for it.
	live   client.Reader
	events events.EventRecorder
	// said is the last event about each Job, so that none is sent twice in a row.
	said sync.Map
}

// Reconcile is one pass over one Job: fetch, decide, carry out, tell.
func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	job := &batchv1.Job{}
	if err := r.client.Get(ctx, request.NamespacedName, job); err != nil {
		r.said.Delete(request.NamespacedName)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !isQueued(job) {
		return ctrl.Result{}, nil
	}
	in, err := r.observe(ctx, job)
	if err != nil {
		return ctrl.Result{}, err
	}
	todo := decide(in)
	if err := r.apply(ctx, in, todo); err != nil {
		if apierrors.IsConflict(err) {
			return ctrl.Result{RequeueAfter: staleDelay}, nil
		}
		return ctrl.Result{}, err
	}
	for _, e := range todo.Events {
		r.send(job, e)
	}
	if todo.Blocked {
		return ctrl.Result{RequeueAfter: blockedDelay}, nil
	}
	return ctrl.Result{}, nil
}

func (r *reconciler) send(job *batchv1.Job, e event) {
	key := client.ObjectKeyFromObject(job)
	if before, loaded := r.said.Swap(key, e); loaded && before == e {
		return
	}
	r.events.Eventf(job, nil, e.Type, e.Reason, e.Action, "%s", clip.Text(e.Note, maxNote))
}

// apply carries out the plan. What turns out to be done already is no error.
func (r *reconciler) apply(ctx context.Context, in observed, todo plan) error {
	if todo.Gang != nil {
		if err := r.writeGang(ctx, in.Gang, todo.Gang); err != nil {
			return err
		}
	}
	if todo.Job != nil {
		patch := client.MergeFromWithOptions(in.Job, client.MergeFromWithOptimisticLock{})
		if err := r.client.Patch(ctx, todo.Job, patch); client.IgnoreNotFound(err) != nil {
			return wrap(err, "patching the job")
		}
	}
	if todo.DropGang {
		err := r.client.Delete(ctx, in.Gang, client.Preconditions{UID: &in.Gang.UID})
		if !apierrors.IsConflict(err) {
			return wrap(client.IgnoreNotFound(err), "deleting gang %s", in.Gang.Name)
		}
	}
	return nil
}

func (r *reconciler) writeGang(ctx context.Context, old, next *slipwayv1.Gang) error {
	if old == nil {
		err := r.client.Create(ctx, next)
		if apierrors.IsAlreadyExists(err) {
			return nil // The cache is behind; seeing it brings the next pass.
		}
		return wrap(err, "making gang %s", next.Name)
	}
	err := r.client.Patch(ctx, next, client.MergeFromWithOptions(old, client.MergeFromWithOptimisticLock{}))
	return wrap(err, "patching gang %s", next.Name)
}
