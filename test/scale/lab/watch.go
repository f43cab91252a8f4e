// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// watch pods and gangs until ctx ends. It returns when both watches stand.
func (l *Lab) watch(ctx context.Context, kinds *runtime.Scheme) error {
	watches, err := cache.New(l.server.Config, cache.Options{Scheme: kinds, DefaultTransform: cache.TransformStripManagedFields()})
	if err != nil {
		return fmt.Errorf("preparing watches: %w", err)
	}
	l.work.Go(func() {
		if err := watches.Start(ctx); err != nil && ctx.Err() == nil {
			l.fail(fmt.Errorf("watching: %w", err))
		}
	})
	if err := onChange(ctx, watches, &corev1.Pod{}, l.podSeen); err != nil {
		return err
	}
	return onChange(ctx, watches, &slipwayv1.Gang{}, l.gangSeen)
}

// onChange hands over each object that is made or changed.
func onChange[T client.Object](ctx context.Context, watches cache.Cache, kind T, seen func(T)) error {
	informer, err := watches.GetInformer(ctx, kind)
	if err != nil {
		return fmt.Errorf("watching %T: %w", kind, err)
	}
	hand := func(o any) {
		if object, is := o.(T); is {
			seen(object)
		}
	}
	handle, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: hand, UpdateFunc: func(_, o any) { hand(o) },
	})
	if err != nil {
		return fmt.Errorf("watching %T: %w", kind, err)
	}
	if !toolscache.WaitForCacheSync(ctx.Done(), handle.HasSynced) {
		return errors.Join(errors.New("the watch ended early"), context.Cause(ctx))
	}
	return nil
}

// podSeen must not wait, nor must gangSeen: the next change stands behind.
func (l *Lab) podSeen(pod *corev1.Pod) {
	l.kubelets.Observe(pod)
	b := l.batch(pod.Namespace)
	if b == nil {
		return
	}
	if pod.Spec.NodeName != "" {
		b.podBound(pod)
	}
	switch pod.Status.Phase {
	case corev1.PodRunning:
		b.Running.note(pod.UID)
	case corev1.PodSucceeded:
		b.podEnded(pod)
	}
}

func (l *Lab) gangSeen(gang *slipwayv1.Gang) {
	b := l.batch(gang.Namespace)
	if b == nil || gang.DeletionTimestamp != nil || gang.Status.ObservedGeneration != gang.Generation {
		return
	}
	placed := gang.Status.Placed()
	switch {
	case placed == nil:
	case placed.Status == metav1.ConditionTrue:
		b.gangPlaced(gang)
	case placed.Reason != "" && placed.Message != "":
		b.gangWaits(gang, placed.Reason)
	}
}
