// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/clip"
	"slipway.dev/slipway/internal/namespace"
	"slipway.dev/slipway/internal/podset"
	"slipway.dev/slipway/internal/training/frameworks"
)

// staleDelay is when to look again after a conflict, should the event of the
// newer version not come first.
const staleDelay = time.Second

// reconciler runs the jobs of one framework.
type reconciler struct {
	framework frameworks.Framework
	client    client.Client
	// live reads past the cache, for what is rarely needed or must be fresh.
	live     client.Reader
	events   events.EventRecorder
	deferred deferrals
	warned   podset.Warned
}

// Reconcile is one pass over one job: fetch, decide, carry out, write the status.
func (r *reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	object := r.framework.New()
	jobs := podset.Jobs{Kind: r.framework.Kind, Label: kubeflowv1.JobNameLabel}
	if there, err := jobs.Fetch(ctx, r.client, req.NamespacedName, object); !there {
		r.deferred.came(req.NamespacedName)
		r.warned.Forget(req.NamespacedName)
		return ctrl.Result{}, err
	}
	in, err := r.observe(ctx, object)
	if err == nil && in.Blocked.Gang != "" {
		err = jobs.DropOrphan(ctx, r.client, req.NamespacedName)
	}
	if err != nil {
		return settle(0, err)
	}
	r.warn(in)
	todo, err := r.act(ctx, in)
	switch {
	case namespace.Refuses(err):
		return ctrl.Result{}, nil
	case err == nil && todo.Hold > 0:
		return settle(sooner(todo.Wake, todo.Hold), nil)
	case err == nil && todo.Deferred:
		if later, is := r.deferred.putOff(req.NamespacedName); is {
			return later, nil
		}
	}
	r.deferred.came(req.NamespacedName)
	return r.conclude(ctx, object, todo, err)
}

// warn of annotations that do less than they say, as long as that matters.
func (r *reconciler) warn(in observed) {
	object := in.Job.Object()
	if what := r.warned.News(object, strings.Join(podset.TermWarnings(object), "; ")); what != "" && !finished(in.Job.Status()) {
		r.send(object, ignoredTermsEvent(what))
	}
}

// act on what was observed. An error that needs a person has its place in the plan from
// then on, and is none any more.
func (r *reconciler) act(ctx context.Context, in observed) (plan, error) {
	todo := decide(in)
	err := r.apply(ctx, in, &todo)
	if namespace.Refuses(err) || !needsPerson(err) {
		return todo, err
	}
	todo = stuck(in, todo, err)
	_, err = each(todo.Delete, func(d deletion) error { return r.delete(ctx, d) })
	return todo, err
}

// conclude a pass: write the status, and then tell of what was done; err is what that came to.
func (r *reconciler) conclude(ctx context.Context, object client.Object, todo plan, err error) (ctrl.Result, error) {
	if statusErr := r.writeStatus(ctx, object, todo.Status); statusErr != nil {
		return settle(0, errors.Join(err, statusErr))
	}
	for _, e := range todo.Events {
		r.send(object, e)
	}
	if err == nil && todo.DeleteJob {
		err = r.expire(ctx, object)
	}
	return settle(todo.Wake, err)
}

// settle turns the outcome of a pass into when to make the next, which is then as urgent
// as news, though this one was deferred. A conflict means that the decision was made from an
// old version; the newer one is on its way and brings its own pass.
func settle(wake time.Duration, err error) (ctrl.Result, error) {
	switch {
	case apierrors.IsConflict(err):
		wake = staleDelay
	case err != nil:
		return ctrl.Result{RequeueAfter: wake}, err
	}
	return ctrl.Result{RequeueAfter: wake, Priority: ptr.To(0)}, nil
}

// sooner of two delays, of which zero is never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// needsPerson says that trying again soon will not help: the API server
// understood the pod and does not want it, or its name is taken.
func needsPerson(err error) bool {
	var taken takenError
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || errors.As(err, &taken)
}

// stuck puts an error that needs a person where the person looks. Pods of a gang
// that never got under way go: when creating them failed and undoing that failed
// too, the half that stayed would hold resources until the person comes.
func stuck(in observed, todo plan, err error) plan {
	p := &pass{in: in, out: todo, now: metav1.NewTime(in.Now.Truncate(time.Second))}
	p.out.Delete, p.out.Hold = nil, 0
	if todo.Whole {
		p.out.Status.StartTime = in.Job.Status().StartTime
		for _, pod := range in.Pods {
			p.delete(pod, false)
		}
	}
	if todo.Whole && apierrors.IsInvalid(err) {
		// The same pods would be refused tomorrow, and hold their places until then.
		p.finish(kubeflowv1.JobFailed, "FailedValidation", "the API server refuses its pods: "+err.Error()+"; correct it and create the job again")
		return p.out
	}
	p.say(createFailedEvent(err))
	p.wake(blockedDelay)
	return p.out
}

// writeStatus of the very job that was read, in that version, and only on a change.
// The rest of the job is left out: the API server takes it from what it has, and an update
// of so little costs it a fifth less than a patch.
func (r *reconciler) writeStatus(ctx context.Context, object client.Object, status kubeflowv1.JobStatus) error {
	if equality.Semantic.DeepEqual(*r.framework.Open(object).Status(), status) {
		return nil
	}
	next := r.framework.New()
	next.SetNamespace(object.GetNamespace())
	next.SetName(object.GetName())
	next.SetUID(object.GetUID())
	next.SetResourceVersion(object.GetResourceVersion())
	*r.framework.Open(next).Status() = status
	if err := r.client.Status().Update(ctx, next); err != nil {
		return fmt.Errorf("writing the status: %w", err)
	}
	return nil
}

func (r *reconciler) expire(ctx context.Context, object client.Object) error {
	err := r.client.Delete(ctx, object,
		client.Preconditions{UID: ptr.To(object.GetUID())},
		client.PropagationPolicy(metav1.DeletePropagationBackground))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting the expired job: %w", err)
	}
	return nil
}

func (r *reconciler) send(object client.Object, e event) {
	r.events.Eventf(object, nil, e.Type, e.Reason, e.Action, "%s", clip.Note(e.Note))
}
