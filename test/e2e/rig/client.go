// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// Client is the administrator's.
func (c *Cluster) Client(t *testing.T) kubernetes.Interface {
	t.Helper()
	return c.ClientWith(t, filepath.Join(c.Data, "kubeconfig"))
}

// ClientWith is a client with another kubeconfig.
func (c *Cluster) ClientWith(t *testing.T, kubeconfig string) kubernetes.Interface {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Namespace makes a namespace for a test and returns when pods can be made in it.
func (c *Cluster) Namespace(t *testing.T, name string) string {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	client := c.Client(t)
	if _, err := client.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	follow(t, watching(client, "serviceaccounts", name, ""), "the namespace has its ServiceAccount", func(all []*corev1.ServiceAccount) error {
		return atLeast(len(all), 1)
	})
	return name
}

// AwaitPods returns the pods of a selector as soon as a condition holds of them
// all together.
func (c *Cluster) AwaitPods(t *testing.T, namespace, selector, what string, holds func([]*corev1.Pod) error) []*corev1.Pod {
	t.Helper()
	return follow(t, watching(c.Client(t), "pods", namespace, selector), what, holds)
}

// AwaitNodes does the same for the nodes.
func (c *Cluster) AwaitNodes(t *testing.T, what string, holds func([]*corev1.Node) error) []*corev1.Node {
	t.Helper()
	return follow(t, watching(c.Client(t), "nodes", "", ""), what, holds)
}

func watching(client kubernetes.Interface, resource, namespace, selector string) toolscache.ListerWatcher {
	return toolscache.NewFilteredListWatchFromClient(client.CoreV1().RESTClient(), resource, namespace, func(o *metav1.ListOptions) {
		o.LabelSelector, o.FieldSelector = selector, fields.Everything().String()
	})
}

// follow watches until the condition holds of all objects together, also while
// the API server goes and comes back.
func follow[T runtime.Object](t *testing.T, source toolscache.ListerWatcher, what string, holds func([]T) error) []T {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, fmt.Errorf("not within %s", limit))
	defer cancel()
	changed := make(chan struct{}, 1)
	touch := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	var kind T
	store, informer := toolscache.NewInformerWithOptions(toolscache.InformerOptions{
		ListerWatcher: source, ObjectType: kind,
		Handler: toolscache.ResourceEventHandlerFuncs{
			AddFunc: func(any) { touch() }, UpdateFunc: func(any, any) { touch() }, DeleteFunc: func(any) { touch() },
		},
	})
	go informer.RunWithContext(ctx)
	if !toolscache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		t.Fatalf("%s: the API server does not answer: %v", what, context.Cause(ctx))
	}
	for touch(); ; {
		var objects []T
		for _, object := range store.List() {
			objects = append(objects, object.(T))
		}
		err := holds(objects)
		if err == nil {
			return objects
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%s: %v: %v", what, context.Cause(ctx), err)
		}
	}
}

// Eventually returns when a condition holds. It asks again and again: it is for
// what cannot be watched, such as a process, or an answer over the network.
func Eventually(t *testing.T, what string, holds func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, fmt.Errorf("not within %s", limit))
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := holds(ctx)
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v: %v", what, context.Cause(ctx), err)
		}
	}
}

func each[T any](all []T, holds func(T) error) error {
	for _, one := range all {
		if err := holds(one); err != nil {
			return err
		}
	}
	return nil
}

func atLeast(have, want int) error {
	if have < want {
		return fmt.Errorf("there are %d, not %d", have, want)
	}
	return nil
}

// NodesReady holds when all nodes are.
func NodesReady(nodes []*corev1.Node) error { return each(nodes, NodeReady) }

// NodeReady says what is missing.
func NodeReady(n *corev1.Node) error {
	for _, condition := range n.Status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
			return nil
		}
	}
	return fmt.Errorf("node %s is not Ready", n.Name)
}
