// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

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
