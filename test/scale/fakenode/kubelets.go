// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package fakenode

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// AnnotationRunTime on a pod is how long it runs, a Go duration. Without it a pod
// runs until it is deleted.
const AnnotationRunTime = "slipway.dev/bench-run-time"

// workers is how many pods are seen to at a time, by all kubelets together.
const workers = 16

// Kubelets are those of all nodes. They are told of pods with Observe.
type Kubelets struct {
	client client.Client
	queue  workqueue.TypedDelayingInterface[*step]
	// fail is called with what went wrong.
	fail func(error)
}

// step is what is to be done about one pod as it was last seen.
type step struct {
	pod *corev1.Pod
	do  func(context.Context, *corev1.Pod) error
}

// NewKubelets returns kubelets that write with c once they Run.
func NewKubelets(c client.Client, fail func(error)) *Kubelets {
	return &Kubelets{client: c, queue: workqueue.NewTypedDelayingQueue[*step](), fail: fail}
}

// Observe a pod, new or changed. It returns at once.
func (k *Kubelets) Observe(pod *corev1.Pod) {
	switch {
	case pod.Spec.NodeName == "":
	case pod.DeletionTimestamp != nil:
		k.queue.Add(&step{pod, k.bury})
	case pod.Status.Phase == corev1.PodPending:
		k.queue.Add(&step{pod, k.start})
	case pod.Status.Phase == corev1.PodRunning && pod.Annotations[AnnotationRunTime] != "":
		k.endLater(pod)
	}
}

func (k *Kubelets) endLater(pod *corev1.Pod) {
	runs, err := time.ParseDuration(pod.Annotations[AnnotationRunTime])
	if err != nil {
		k.fail(fmt.Errorf("pod %s: annotation %s: %w", pod.Name, AnnotationRunTime, err))
		return
	}
	left := runs
	if began := pod.Status.StartTime; began != nil {
		left -= time.Since(began.Time)
	}
	k.queue.AddAfter(&step{pod, k.end}, left)
}

// Run sees to pods until ctx ends.
func (k *Kubelets) Run(ctx context.Context) {
	stop := context.AfterFunc(ctx, k.queue.ShutDown)
	defer stop()
	var group sync.WaitGroup
	for range workers {
		group.Go(func() { k.work(ctx) })
	}
	group.Wait()
}

func (k *Kubelets) work(ctx context.Context) {
	for {
		next, closed := k.queue.Get()
		if closed {
			return
		}
		err := next.do(ctx, next.pod)
		k.queue.Done(next)
		// A pod may be gone by now, and another may have its name.
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) && ctx.Err() == nil {
			k.fail(fmt.Errorf("playing the kubelet of pod %s: %w", next.pod.Name, err))
		}
	}
}

func (k *Kubelets) start(ctx context.Context, pod *corev1.Pod) error {
	return k.write(ctx, pod, running(pod, time.Now()))
}

func (k *Kubelets) end(ctx context.Context, pod *corev1.Pod) error {
	return k.write(ctx, pod, succeeded(pod, time.Now()))
}

// write the status of this very pod, and not of another that has its name by now.
func (k *Kubelets) write(ctx context.Context, pod *corev1.Pod, status corev1.PodStatus) error {
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": status})
	if err != nil {
		return err
	}
	return k.client.Status().Patch(ctx, bare(pod), client.RawPatch(types.MergePatchType, body))
}

func (k *Kubelets) bury(ctx context.Context, pod *corev1.Pod) error {
	return k.client.Delete(ctx, bare(pod), client.GracePeriodSeconds(0), client.Preconditions{UID: ptr.To(pod.UID)})
}

// bare is a pod to receive an answer into: the one observed belongs to the cache.
func bare(pod *corev1.Pod) *corev1.Pod {
	out := &corev1.Pod{}
	out.Namespace, out.Name = pod.Namespace, pod.Name
	return out
}
