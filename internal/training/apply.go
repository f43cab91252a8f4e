// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"context"
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// parallel is how many requests of one plan are under way at a time.
const parallel = 16

// apply carries out the plan as far as the status, which is the caller's. What
// turns out to be done already is no error. Events of what was done are added.
func (r *reconciler) apply(ctx context.Context, in observed, todo *plan) error {
	if todo.Gang != nil {
		if err := r.writeGang(ctx, in, todo); err != nil {
			return err
		}
	}
	_, err := each(todo.Delete, func(d deletion) error { return r.delete(ctx, d) })
	if err != nil {
		return err
	}
	if err := r.create(ctx, in, todo); err != nil {
		return err
	}
	if todo.DropGang {
		return r.delete(ctx, deletion{Object: in.Gang})
	}
	return nil
}

func (r *reconciler) writeGang(ctx context.Context, in observed, todo *plan) error {
	gang := todo.Gang.DeepCopy()
	if gang.UID == "" {
		err := r.client.Create(ctx, gang)
		if apierrors.IsAlreadyExists(err) {
			return nil // The cache is behind; seeing it brings the next pass.
		}
		return wrap(err, "making gang %s", gang.Name)
	}
	err := r.client.Patch(ctx, gang, client.MergeFromWithOptions(in.Gang, client.MergeFromWithOptimisticLock{}))
	return wrap(err, "patching gang %s", gang.Name)
}

// delete the very object that was seen. A conflict means that another one has
// taken its name by now.
func (r *reconciler) delete(ctx context.Context, d deletion) error {
	options := []client.DeleteOption{client.Preconditions{UID: ptr.To(d.Object.GetUID())}}
	if d.Force {
		options = append(options, client.GracePeriodSeconds(0))
	}
	err := r.client.Delete(ctx, d.Object, options...)
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return wrap(err, "deleting %s", d.Object.GetName())
}

// create makes everything or, when the gang starts with it, nothing. What is
// undone goes by force: it has hardly begun, and names that linger would hold up
// the next attempt.
func (r *reconciler) create(ctx context.Context, in observed, todo *plan) error {
	made, err := each(todo.Create, func(o client.Object) error { return r.createOne(ctx, in, o) })
	if err != nil && todo.Whole {
		_, undo := each(made, func(o client.Object) error { return r.delete(ctx, deletion{Object: o, Force: true}) })
		return errors.Join(err, undo)
	}
	var pods []string
	for _, object := range made {
		if _, ok := object.(*corev1.Pod); ok {
			pods = append(pods, object.GetName())
		}
	}
	if len(pods) > 0 && todo.Hold == 0 { // Of a smooth start the status tells.
		todo.Events = append(todo.Events, createdEvent(pods))
	}
	return err
}

// createOne also succeeds when the object is there and the job's: the cache was
// behind.
func (r *reconciler) createOne(ctx context.Context, in observed, object client.Object) error {
	err := r.client.Create(ctx, object)
	if !apierrors.IsAlreadyExists(err) {
		return wrap(err, "creating %s", object.GetName())
	}
	if err := r.live.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
		return fmt.Errorf("reading %s, which exists: %w", object.GetName(), err)
	}
	if !metav1.IsControlledBy(object, in.Job.Object()) {
		return takenError(inTheWay(kindOf(object), object, in))
	}
	return nil
}

// takenError says who has a name that the job needs.
type takenError string

func (e takenError) Error() string { return string(e) }

// each does all items, a few at a time, and returns those done, in order, and
// the first error; a gang of hundreds fails hundredfold for one cause.
func each[T any](items []T, do func(T) error) ([]T, error) {
	errs := make([]error, len(items))
	var group sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for i := range items {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			errs[i] = do(items[i])
		})
	}
	group.Wait()
	var done []T
	var first error
	for i, err := range errs {
		if err == nil {
			done = append(done, items[i])
		} else if first == nil {
			first = err
		}
	}
	return done, first
}
