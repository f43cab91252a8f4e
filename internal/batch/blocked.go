// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/clip"
)

// block the Job: it is not queued before a person does something. Events are forgotten
// within the hour; that the Job waits for somebody is not.
func (p *pass) block(e event) {
	p.emit(e)
	p.out.Job = marked(p.in.Job, e.Note)
}

// unblock it, for nothing keeps it from being queued any more.
func (p *pass) unblock() { p.out.Job = marked(p.in.Job, "") }

// marked is the Job with what blocks it; nil where it says so already.
func marked(job *batchv1.Job, why string) *batchv1.Job {
	why = clip.Note(why)
	if job.Annotations[slipwayv1.AnnotationBlocked] == why {
		return nil
	}
	next := job.DeepCopy()
	if why == "" {
		delete(next.Annotations, slipwayv1.AnnotationBlocked)
	} else {
		metav1.SetMetaDataAnnotation(&next.ObjectMeta, slipwayv1.AnnotationBlocked, why)
	}
	return next
}

// refused is a Job whose Gang the API server does not take.
func (r *reconciler) refused(ctx context.Context, job *batchv1.Job, why error) error {
	e := blockedEvent([]string{why.Error()})
	r.say(job, e)
	next := marked(job, e.Note)
	if next == nil || !waits(job) {
		return nil
	}
	patch := client.MergeFromWithOptions(job, client.MergeFromWithOptimisticLock{})
	return wrap(client.IgnoreNotFound(r.client.Patch(ctx, next, patch)), "saying what blocks the job")
}
