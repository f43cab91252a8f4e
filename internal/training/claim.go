// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// keep takes note of an object that the job controls, or lets it go when
// somebody took the job's labels off it: that is how a person takes a pod out of
// a job to look into it.
func (r *reconciler) keep(ctx context.Context, in *observed, object client.Object) error {
	if !labels.SelectorFromSet(jobLabels(*in)).Matches(labels.Set(object.GetLabels())) {
		return r.release(ctx, in, object)
	}
	switch o := object.(type) {
	case *corev1.Pod:
		in.Pods = append(in.Pods, o)
	case *corev1.Service:
		in.Services = append(in.Services, o)
	}
	return nil
}

func (r *reconciler) release(ctx context.Context, in *observed, object client.Object) error {
	old := object
	object = object.DeepCopyObject().(client.Object)
	var owners []metav1.OwnerReference
	for _, owner := range object.GetOwnerReferences() {
		if owner.UID != in.Job.Object().GetUID() {
			owners = append(owners, owner)
		}
	}
	object.SetOwnerReferences(owners)
	err := r.client.Patch(ctx, object, client.MergeFromWithOptions(old, client.MergeFromWithOptimisticLock{}))
	return wrap(client.IgnoreNotFound(err), "releasing %s", object.GetName())
}

// observeNames looks at the objects that have the names of the ranks and are not
// the job's: an orphan with the right labels is adopted, anything else is in the
// way.
func (r *reconciler) observeNames(ctx context.Context, in *observed) error {
	if len(in.Problems) > 0 || finished(in.Job.Status()) || isSuspended(in.Job) {
		return nil
	}
	mine := map[string]bool{}
	for _, pod := range in.Pods {
		mine["Pod/"+pod.Name] = true
	}
	for _, service := range in.Services {
		mine["Service/"+service.Name] = true
	}
	ranks := ranksOf(*in)
	for _, rank := range ranks {
		wanted := []client.Object{&corev1.Pod{}}
		if needsService(*in, &rank, len(ranks) == 1) {
			wanted = append(wanted, &corev1.Service{})
		}
		for _, object := range wanted {
			if mine[kindOf(object)+"/"+rank.name] {
				continue
			}
			if err := r.claim(ctx, in, &rank, object); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *reconciler) claim(ctx context.Context, in *observed, rank *rank, object client.Object) error {
	key := client.ObjectKey{Namespace: in.Job.Object().GetNamespace(), Name: rank.name}
	if err := r.client.Get(ctx, key, object); err != nil {
		return wrap(client.IgnoreNotFound(err), "reading %s %s", kindOf(object), key.Name)
	}
	if metav1.IsControlledBy(object, in.Job.Object()) {
		return r.keep(ctx, in, object) // The cache learnt of it after the listing.
	}
	orphan := metav1.GetControllerOf(object) == nil && object.GetDeletionTimestamp() == nil
	if !orphan || !labels.SelectorFromSet(rankLabels(*in, rank)).Matches(labels.Set(object.GetLabels())) {
		in.Blocked.Ranks[rank.name], in.Unwatched = inTheWay(kindOf(object), object, *in), true
		return nil
	}
	return r.adopt(ctx, in, object)
}

// adopt makes the job the controller of an orphan, after making sure, past the
// cache, that the job is still there and is still the same.
func (r *reconciler) adopt(ctx context.Context, in *observed, object client.Object) error {
	job := in.Job.Object()
	fresh := r.framework.New()
	if err := r.live.Get(ctx, client.ObjectKeyFromObject(job), fresh); err != nil {
		return fmt.Errorf("reading the job before adopting %s: %w", object.GetName(), err)
	}
	if fresh.GetUID() != job.GetUID() || fresh.GetDeletionTimestamp() != nil {
		return fmt.Errorf("adopting %s: the job was deleted meanwhile", object.GetName())
	}
	old := object.DeepCopyObject().(client.Object)
	object.SetOwnerReferences(append(object.GetOwnerReferences(), ownerOf(*in)))
	if err := r.client.Patch(ctx, object, client.MergeFromWithOptions(old, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("adopting %s: %w", object.GetName(), err)
	}
	return r.keep(ctx, in, object)
}

// kindOf names what the client leaves nameless.
func kindOf(object client.Object) string {
	if _, ok := object.(*corev1.Service); ok {
		return "Service"
	}
	return "Pod"
}

// inTheWay names an object that has a name the job needs, and what to do.
func inTheWay(kind string, object client.Object, in observed) string {
	owner := metav1.GetControllerOf(object)
	switch {
	case owner == nil:
		return fmt.Sprintf("%s %s is in the way and belongs to nobody; delete it or give the job another name", kind, object.GetName())
	case owner.Kind == in.Framework.Kind && owner.Name == in.Job.Object().GetName():
		return fmt.Sprintf("%s %s of an earlier job of this name is still ending", kind, object.GetName())
	}
	return fmt.Sprintf("%s %s is in the way and belongs to %s %s; delete that or give the job another name",
		kind, object.GetName(), owner.Kind, owner.Name)
}
