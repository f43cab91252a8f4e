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
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
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

// gangPlaced makes the pods of a gang without a controller, once for each start.
func (b *Batch) gangPlaced(gang *slipwayv1.Gang) {
	b.Placed.note(gang.UID)
	if metav1.GetControllerOf(gang) != nil {
		return
	}
	start, is := b.started(gang.UID)
	if !is {
		return
	}
	if b.Podless {
		b.endLater(gang, start)
		return
	}
	for _, pod := range podsOf(gang, start) {
		b.lab.backlog.add(func(ctx context.Context) error { return b.lab.Client.Create(ctx, pod) })
	}
}

// started counts the starts of a gang, unless it runs already.
func (b *Batch) started(gang types.UID) (int, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running[gang] {
		return 0, false
	}
	b.running[gang] = true
	b.starts[gang]++
	return b.starts[gang], true
}

// gangWaits notes why, and deletes the pods of a gang without a controller that
// has lost its place.
func (b *Batch) gangWaits(gang *slipwayv1.Gang, reason string) {
	b.Told.note(gang.UID)
	if reason == string(placement.Evicted) {
		b.Evicted.note(gang.UID)
	}
	b.mu.Lock()
	ran, start := b.running[gang.UID], b.starts[gang.UID]
	delete(b.running, gang.UID)
	b.mu.Unlock()
	if !ran || b.Podless {
		return
	}
	for _, pod := range podsOf(gang, start) {
		b.deleteLater(&corev1.Pod{}, pod.Name)
	}
}

// podBound notes it, and the gang of which it was the last one.
func (b *Batch) podBound(pod *corev1.Pod) {
	if b.Bound.note(pod.UID); b.isLast(b.bound, pod) {
		b.Whole.note(types.UID(pod.Labels[slipwayv1.LabelGang]))
	}
}

// podEnded deletes a gang without a controller, and its pods, when the last of
// them has ended, as the controller of a workload would.
func (b *Batch) podEnded(pod *corev1.Pod) {
	if metav1.GetControllerOf(pod) != nil || !b.isLast(b.ended, pod) {
		return
	}
	name := pod.Labels[slipwayv1.LabelGang]
	if b.grouped {
		b.deleteLater(&schedulingv1beta1.PodGroup{}, name)
	} else {
		b.deleteLater(&slipwayv1.Gang{}, name)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, pod := range b.ended[name] {
		b.deleteLater(&corev1.Pod{}, pod)
	}
}

// isLast adds a pod to those of its gang, and says whether all of them are there. It
// says so once.
func (b *Batch) isLast(of map[string]map[types.UID]string, pod *corev1.Pod) bool {
	gang := pod.Labels[slipwayv1.LabelGang]
	b.mu.Lock()
	defer b.mu.Unlock()
	if gang == "" || of[gang][pod.UID] != "" {
		return false
	}
	if of[gang] == nil {
		of[gang] = map[types.UID]string{}
	}
	of[gang][pod.UID] = pod.Name
	return len(of[gang]) == sizeOf(pod)
}

// deleteLater deletes one object by name, as controllers do.
func (b *Batch) deleteLater(kind client.Object, name string) {
	kind.SetNamespace(b.Namespace)
	kind.SetName(name)
	b.lab.backlog.add(func(ctx context.Context) error {
		err := b.lab.Client.Delete(ctx, kind, client.GracePeriodSeconds(0))
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("deleting %T %s: %w", kind, name, err)
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
