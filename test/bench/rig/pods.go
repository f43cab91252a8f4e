// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// Image is on every node from the start and holds one static program that waits.
const Image = "slipway.local/pause:1"

// labelBatch tells the pods of one Run from all others.
const labelBatch = "slipway.dev/bench"

// podLimit is when pods that do not run count as never running.
const podLimit = 2 * time.Minute

// Namespace is where a benchmark has its objects.
type Namespace struct {
	Name   string
	Client kubernetes.Interface
}

// MakeNamespace returns when pods can be made in the namespace: not before its
// default ServiceAccount is there.
func (c *Cluster) MakeNamespace(ctx context.Context, name string) (*Namespace, error) {
	client, err := c.Client()
	if err != nil {
		return nil, err
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
		return nil, fmt.Errorf("making namespace %s: %w", name, err)
	}
	accounts, err := client.CoreV1().ServiceAccounts(name).Watch(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("metadata.name", "default").String()})
	if err != nil {
		return nil, fmt.Errorf("watching ServiceAccounts: %w", err)
	}
	err = follow(ctx, accounts, func(e watch.Event) bool { return e.Type == watch.Added })
	return &Namespace{name, client}, err
}

// Pod runs the image's own program, which waits for its end and ends at once.
func Pod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: Image}}},
	}
}

// Run creates so many pods at once and returns, for each, the seconds from just
// before it was sent to when a watch showed it Running, and the seconds from the
// first to the last of all that. It returns when the pods are gone again.
func (n *Namespace) Run(ctx context.Context, batch string, count int) (each []float64, all float64, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, podLimit, fmt.Errorf("they were not Running and gone after %s", podLimit))
	defer cancel()
	created, running, err := n.start(ctx, batch, count)
	if err == nil {
		err = n.remove(ctx, batch, count)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("running %d pods: %w", count, err)
	}
	for name, began := range created {
		each = append(each, running[name].Sub(began).Seconds())
	}
	first := slices.MinFunc(slices.Collect(maps.Values(created)), time.Time.Compare)
	last := slices.MaxFunc(slices.Collect(maps.Values(running)), time.Time.Compare)
	return each, last.Sub(first).Seconds(), nil
}

// start returns, by name, when each pod was sent and when it was seen Running.
func (n *Namespace) start(ctx context.Context, batch string, count int) (created, running map[string]time.Time, err error) {
	seen, err := n.watch(ctx, batch)
	if err != nil {
		return nil, nil, err
	}
	created, running = map[string]time.Time{}, map[string]time.Time{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return follow(ctx, seen, func(e watch.Event) bool {
			if pod, is := e.Object.(*corev1.Pod); is && pod.Status.Phase == corev1.PodRunning && running[pod.Name].IsZero() {
				running[pod.Name] = time.Now()
			}
			return len(running) == count
		})
	})
	for i := range count {
		group.Go(func() error {
			pod := Pod(fmt.Sprintf("%s-%d", batch, i))
			pod.Labels = map[string]string{labelBatch: batch}
			mu.Lock()
			created[pod.Name] = time.Now()
			mu.Unlock()
			_, err := n.Client.CoreV1().Pods(n.Name).Create(ctx, pod, metav1.CreateOptions{})
			return err
		})
	}
	return created, running, group.Wait()
}

func (n *Namespace) remove(ctx context.Context, batch string, count int) error {
	seen, err := n.watch(ctx, batch)
	if err != nil {
		return err
	}
	err = n.Client.CoreV1().Pods(n.Name).DeleteCollection(ctx, metav1.DeleteOptions{}, ofBatch(batch))
	if err != nil {
		seen.Stop()
		return err
	}
	return follow(ctx, seen, func(e watch.Event) bool {
		if e.Type == watch.Deleted {
			count--
		}
		return count == 0
	})
}

func (n *Namespace) watch(ctx context.Context, batch string) (watch.Interface, error) {
	return n.Client.CoreV1().Pods(n.Name).Watch(ctx, ofBatch(batch))
}

func ofBatch(batch string) metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: labelBatch + "=" + batch}
}
