// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"context"
	"strings"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/clip"
	"slipway.dev/slipway/internal/namespace"
	"slipway.dev/slipway/internal/podset"
)

const (
	// staleDelay is when to look again after a conflict, should the event of the
	// newer version not come first.
	staleDelay = time.Second
	// blockedDelay is how long to wait before asking again for what was refused, by a quota,
	// say, of which it is not told when it has room, or for a name that somebody has.
	blockedDelay = 30 * time.Second
)

// reconciler queues Jobs.
type reconciler struct {
	client client.Client
	// live reads past the cache, for what may be too new for it.
	live   client.Reader
	events events.EventRecorder
	// said is the last event about the turn of each Job, so that none is sent twice in a row.
	said sync.Map
	// warned of annotations, and unranked of the class that they name for the queue.
	warned, unranked podset.Warned
}

// Reconcile is one pass over one Job: fetch, decide, carry out, tell.
func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	job := &batchv1.Job{}
	if there, err := jobs.Fetch(ctx, r.client, request.NamespacedName, job); !there {
		r.said.Delete(request.NamespacedName)
		r.warned.Forget(request.NamespacedName)
		r.unranked.Forget(request.NamespacedName)
		return ctrl.Result{}, err
	}
	if !isQueued(job) {
		return ctrl.Result{}, nil
	}
	in, err := r.observe(ctx, job)
	if err == nil && in.InTheWay != "" {
		err = jobs.DropOrphan(ctx, r.client, request.NamespacedName)
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	todo := decide(in)
	if err := r.apply(ctx, in, todo); err != nil {
		return r.failed(ctx, job, err)
	}
	r.warn(in)
	for _, e := range todo.Events {
		r.say(job, e)
	}
	if in.InTheWay != "" {
		return ctrl.Result{RequeueAfter: blockedDelay}, nil // The end of what is not its own wakes no Job.
	}
	return ctrl.Result{}, nil
}

// warn of what the Job asks for in vain, as long as that matters.
func (r *reconciler) warn(in observed) {
	job := in.Job
	if what := r.warned.News(job, strings.Join(podset.TermWarnings(job), "; ")); what != "" && !finished(job) {
		r.send(job, ignoredTermsEvent(what))
	}
	if what := r.unranked.News(job, in.classWarning()); what != "" {
		r.send(job, noClassEvent(what))
	}
}

// failed says when to try again what could not be carried out. What the API server
// refuses stays so until a person does something: that one is told.
func (r *reconciler) failed(ctx context.Context, job *batchv1.Job, err error) (ctrl.Result, error) {
	switch {
	case namespace.Refuses(err):
		return ctrl.Result{}, nil
	case apierrors.IsConflict(err):
		return ctrl.Result{RequeueAfter: staleDelay}, nil
	case apierrors.IsInvalid(err), apierrors.IsForbidden(err):
		return ctrl.Result{RequeueAfter: blockedDelay}, r.refused(ctx, job, err)
	}
	return ctrl.Result{}, err
}

// say what there is to say of the Job's turn, unless that was said last.
func (r *reconciler) say(job *batchv1.Job, e event) {
	if before, loaded := r.said.Swap(client.ObjectKeyFromObject(job), e); !loaded || before != e {
		r.send(job, e)
	}
}

func (r *reconciler) send(job *batchv1.Job, e event) {
	r.events.Eventf(job, nil, e.Type, e.Reason, e.Action, "%s", clip.Note(e.Note))
}
