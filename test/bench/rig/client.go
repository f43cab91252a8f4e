// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// Client is the administrator's, as "slipway kubectl" is, without its brakes.
func (c *Cluster) Client() (kubernetes.Interface, error) {
	paths := cluster.Cluster{DataDir: c.dataDir()}
	config, err := clientcmd.BuildConfigFromFlags("", paths.Kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	config.QPS, config.Burst = -1, -1
	return kubernetes.NewForConfig(config)
}

// Until returns when a condition holds, or with what was last wrong when ctx
// ends. It asks again and again: it is for what cannot be watched, such as a
// process, or a server that is not there.
func Until(ctx context.Context, holds func(context.Context) error) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		once, cancel := context.WithTimeout(ctx, time.Second)
		err := holds(once)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// NodeReady returns when a client of a cluster that is booting sees a node that
// is Ready: it tries until there is an API server, and watches from then on.
func (c *Cluster) NodeReady(ctx context.Context) error {
	var nodes watch.Interface
	err := Until(ctx, func(context.Context) error {
		client, err := c.Client()
		if err == nil {
			// A watch begins with what is there.
			nodes, err = client.CoreV1().Nodes().Watch(ctx, metav1.ListOptions{})
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("connecting to the API server: %w", err)
	}
	return follow(ctx, nodes, func(e watch.Event) bool {
		node, is := e.Object.(*corev1.Node)
		return is && Ready(node)
	})
}

// Ready says whether a node is.
func Ready(node *corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// follow hands events over until done says that it was the last, and ends the watch.
func follow(ctx context.Context, w watch.Interface, done func(watch.Event) bool) error {
	defer w.Stop()
	for {
		select {
		case event, open := <-w.ResultChan():
			if !open || event.Type == watch.Error {
				return fmt.Errorf("the watch ended early: %v", event.Object)
			}
			if done(event) {
				return nil
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
