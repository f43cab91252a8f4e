// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/clip"
	"slipway.dev/slipway/internal/namespace"
)

const (
	// staleDelay is when to look again after a conflict or at what a deleted
	// Model has left, should the event of the newer version, or of the deletion,
	// not come first.
	staleDelay = time.Second
	// blockedDelay is when to try again what the API server refused: what must
	// change (a quota, a policy, the owner of a name) may not be watched here.
	blockedDelay = time.Minute
)

type reconciler struct {
	url    string
	client client.Client
	// live reads past the cache, which does not hold what lacks our label.
	live   client.Reader
	events events.EventRecorder
}

// Reconcile is one pass over one Model: fetch, apply, judge, write the status.
func (r *reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	model := &slipwayv1.Model{}
	if err := r.client.Get(ctx, req.NamespacedName, model); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if model.DeletionTimestamp != nil {
		return ctrl.Result{}, nil
	}
	if ends, err := namespace.Ends(ctx, r.client, req.Namespace); ends || err != nil {
		return ctrl.Result{}, err
	}
	in, err := r.observe(ctx, model)
	if err != nil {
		return settle(err)
	}
	in.Refused = r.apply(ctx, in)
	if namespace.Refuses(in.Refused) {
		return ctrl.Result{}, nil
	}
	if in.Refused != nil && !needsPerson(in.Refused) {
		return settle(in.Refused)
	}
	if err := r.write(ctx, model, judge(in, r.url)); err != nil {
		return settle(err)
	}
	if in.Refused != nil {
		return ctrl.Result{RequeueAfter: blockedDelay}, nil //nolint:nilerr // the status says it
	}
	return ctrl.Result{}, nil
}

// settle turns an error into when to try again. A conflict means that the pass
// was made from an old version; the newer one brings its own. What is left over
// goes by itself, and says so to the Model of its owner's name, which is ours.
func settle(err error) (ctrl.Result, error) {
	var leftover leftoverError
	if apierrors.IsConflict(err) || errors.As(err, &leftover) {
		return ctrl.Result{RequeueAfter: staleDelay}, nil
	}
	return ctrl.Result{}, err
}

// needsPerson says that trying again soon will not help: the API server
// understood what it was asked and does not want it, or a name is taken.
func needsPerson(err error) bool {
	var taken takenError
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || errors.As(err, &taken)
}

// write patches the version that was read, and only on a change. Whenever the
// words of the condition Ready change, an event says them too.
func (r *reconciler) write(ctx context.Context, model *slipwayv1.Model, status slipwayv1.ModelStatus) error {
	if equality.Semantic.DeepEqual(model.Status, status) {
		return nil
	}
	next := model.DeepCopy()
	next.Status = status
	patch := client.MergeFromWithOptions(model, client.MergeFromWithOptimisticLock{})
	if err := r.client.Status().Patch(ctx, next, patch); err != nil {
		return fmt.Errorf("patching the status: %w", err)
	}
	r.tell(model, meta.FindStatusCondition(status.Conditions, slipwayv1.ConditionReady))
	return nil
}

func (r *reconciler) tell(model *slipwayv1.Model, ready *metav1.Condition) {
	old := meta.FindStatusCondition(model.Status.Conditions, slipwayv1.ConditionReady)
	if old != nil && old.Reason == ready.Reason && old.Message == ready.Message {
		return
	}
	kind := corev1.EventTypeNormal
	if isFault(ready.Reason) {
		kind = corev1.EventTypeWarning
	}
	r.events.Eventf(model, nil, kind, ready.Reason, "Serve", "%s", clip.Note(ready.Message))
}
