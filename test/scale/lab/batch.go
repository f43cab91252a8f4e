// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"fmt"
	"sync"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Batch is a namespace for work that is measured together.
type Batch struct {
	Namespace string
	// Bound and Running are pods; Whole are gangs of which every pod is bound; Placed are gangs with a place, Told those with a
	// reason why they have none, Evicted those that gave theirs to others, Ended
	// those without pods whose time was over.
	Bound, Running, Whole, Placed, Told, Evicted, Ended *Tally
	// Podless gangs run for the time that their annotation says without a pod, and are
	// deleted then: for work that is about the queue alone. It is set before any is
	// submitted.
	Podless bool

	lab *Lab
	mu  sync.Mutex
	// starts of gangs that have no controller; running are those that have a place.
	starts  map[types.UID]int
	running map[types.UID]bool
	// bound and ended are the names of pods, by gang.
	bound, ended map[string]map[types.UID]string
	// grouped gangs are PodGroups.
	grouped bool
}

func newBatch(l *Lab, namespace string) *Batch {
	return &Batch{
		Namespace: namespace, lab: l,
		starts: map[types.UID]int{}, running: map[types.UID]bool{},
		bound: map[string]map[types.UID]string{}, ended: map[string]map[types.UID]string{},
		Bound: newTally(), Running: newTally(), Whole: newTally(), Placed: newTally(), Told: newTally(),
		Evicted: newTally(), Ended: newTally(),
	}
}

// Batch makes a namespace.
func (l *Lab) Batch(ctx context.Context, name string) (*Batch, error) {
	b := newBatch(l, name)
	l.mu.Lock()
	l.batches[name] = b
	l.mu.Unlock()
	if err := l.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
		return nil, fmt.Errorf("making namespace %s: %w", name, err)
	}
	return b, nil
}

// batch of a namespace; nil when there is none.
func (l *Lab) batch(namespace string) *Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.batches[namespace]
}

// Submit objects, a few at a time and nearly in order; it returns when the API
// server has them all.
func Submit[T client.Object](ctx context.Context, b *Batch, objects []T) error {
	return Each(ctx, len(objects), func(ctx context.Context, i int) error {
		objects[i].SetNamespace(b.Namespace)
		if err := b.lab.Client.Create(ctx, objects[i]); err != nil {
			return fmt.Errorf("submitting %s: %w", objects[i].GetName(), err)
		}
		return nil
	})
}

// Remove deletes everything in the namespace, jobs first, so that nobody makes
// anew what is deleted.
func (b *Batch) Remove(ctx context.Context) error {
	for _, kind := range []client.Object{&kubeflowv1.PyTorchJob{}, &slipwayv1.Gang{}, &batchv1.Job{}, &corev1.Pod{}, &corev1.Service{}} {
		if err := b.deleteAll(ctx, kind); err != nil {
			return err
		}
	}
	return nil
}

func (b *Batch) deleteAll(ctx context.Context, kind client.Object) error {
	if err := b.lab.Client.DeleteAllOf(ctx, kind, client.InNamespace(b.Namespace), client.GracePeriodSeconds(0)); err != nil {
		return fmt.Errorf("deleting every %T: %w", kind, err)
	}
	return nil
}
