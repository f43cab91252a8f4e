// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package role is what one process of an embedded cluster does, by the name
// that its supervisor started it with.
package role

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/component-base/logs"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/containerd"
	"slipway.dev/slipway/internal/embedded/controlplane"
	"slipway.dev/slipway/internal/embedded/datastore"
	"slipway.dev/slipway/internal/embedded/node"
	"slipway.dev/slipway/internal/embedded/storage"
	"slipway.dev/slipway/internal/heap"
	"slipway.dev/slipway/internal/ready"
)

// Server runs the datastore and the API server.
func Server(ctx context.Context, c *cluster.Cluster) error {
	logs.InitLogs()
	heap.Adapt()
	etcd, err := datastore.Start(ctx, c, datastore.Options{})
	if err != nil {
		return err
	}
	defer etcd.Close()
	return together(ctx,
		func(ctx context.Context) error { return controlplane.RunAPIServer(ctx, controlplane.APIServerFlags(c)) },
		func(ctx context.Context) error {
			if err := controlplane.AwaitAPIServer(ctx, c.KubeconfigOf("supervisor")); err != nil {
				return err
			}
			return notifyAndWait(ctx)
		},
		func(ctx context.Context) error {
			select {
			case err := <-etcd.Err():
				return fmt.Errorf("running etcd: %w", err)
			case <-ctx.Done():
				return nil
			}
		})
}

// Control runs the controller manager, the scheduler, the metrics API and the
// storage provisioner.
func Control(ctx context.Context, c *cluster.Cluster) error {
	logs.InitLogs()
	heap.Adapt()
	return together(ctx,
		func(ctx context.Context) error {
			return controlplane.RunControllerManager(ctx, controlplane.ControllerManagerFlags(c))
		},
		func(ctx context.Context) error { return controlplane.RunScheduler(ctx, controlplane.SchedulerFlags(c)) },
		func(ctx context.Context) error {
			return controlplane.RunMetricsServer(ctx, c.KubeconfigOf("metrics"), controlplane.MetricsServerFlags(c))
		},
		func(ctx context.Context) error { return storage.Run(ctx, c) },
		func(ctx context.Context) error {
			for _, port := range []int{cluster.PortControllerManager, cluster.PortScheduler} {
				if err := controlplane.AwaitHealthy(ctx, c, port); err != nil {
					return err
				}
			}
			return notifyAndWait(ctx)
		})
}

// Node runs the kubelet, the service proxy and the network policies of one
// node. The kubelet comes last: no pod starts before policies are in force.
func Node(ctx context.Context, c *cluster.Cluster, n cluster.Node) error {
	logs.InitLogs()
	host := cluster.ThisHost()
	enforced := make(chan struct{})
	return together(ctx,
		func(ctx context.Context) error {
			return node.RunPolicy(ctx, c, n, func() { close(enforced) })
		},
		func(ctx context.Context) error { return node.RunProxy(ctx, c, n) },
		func(ctx context.Context) error {
			select {
			case <-enforced:
			case <-ctx.Done():
				return nil
			}
			return node.RunKubelet(ctx, c, n, host)
		},
		func(ctx context.Context) error {
			if err := node.AwaitHealthy(ctx, c, n); err != nil {
				return err
			}
			return notifyAndWait(ctx)
		})
}

// Containerd runs containerd of one node.
func Containerd(ctx context.Context, c *cluster.Cluster, n cluster.Node) error {
	return containerd.Run(ctx, containerd.ConfigFile(c, n), ready.Notify)
}

func notifyAndWait(ctx context.Context) error {
	if err := ready.Notify(); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// errEnded says that a part returned although nobody asked it to.
var errEnded = errors.New("a part of the process ended by itself")

// together runs the parts of a process until ctx ends or the first of them
// does: a process with a part missing must be restarted whole.
func together(ctx context.Context, parts ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(parts))
	for _, part := range parts {
		go func() { ended <- part(ctx) }()
	}
	for range parts {
		err := <-ended
		if ctx.Err() == nil {
			return errors.Join(errEnded, err)
		}
	}
	return nil
}
