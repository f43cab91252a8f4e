// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package role

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"k8s.io/component-base/logs"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/controlplane"
	"slipway.dev/slipway/internal/embedded/datastore"
	"slipway.dev/slipway/internal/embedded/manifests"
	"slipway.dev/slipway/internal/embedded/pki"
	"slipway.dev/slipway/internal/heap"
)

// TestAPIServer runs an API server alone, with every schema and role of ours,
// on a free port of the loopback address and on data that may be lost; flags are
// more options of upstream's. It writes the path of an administrator's kubeconfig
// to standard output when it serves, and ends with ctx; then it removes dir, which
// must be empty at first.
func TestAPIServer(ctx context.Context, dir string, flags []string) error {
	logs.InitLogs()
	heap.Adapt()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		return errors.Join(fmt.Errorf("the directory %s is not there and empty", dir), err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// The test that reads the log may be gone before this process is.
	signal.Ignore(syscall.SIGPIPE)
	// The kernel tells of the death of that process once for each of its threads that
	// end: only the first signal is to be heard, so that dir is removed.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM)
	c, err := testCluster(dir)
	if err != nil {
		return err
	}
	etcd, err := datastore.Start(ctx, c, datastore.Options{Throwaway: true})
	if err != nil {
		return err
	}
	defer etcd.Close()
	kubeconfig := c.KubeconfigOf("supervisor")
	return together(ctx,
		func(ctx context.Context) error {
			return controlplane.RunAPIServer(ctx, controlplane.TestAPIServerFlags(c, flags))
		},
		func(ctx context.Context) error {
			if err := controlplane.AwaitAPIServer(ctx, kubeconfig); err != nil {
				return err
			}
			if err := equip(ctx, kubeconfig); err != nil {
				return err
			}
			fmt.Println(kubeconfig)
			<-ctx.Done()
			return nil
		})
}

// TestScheduler runs upstream's scheduler alone, as the user of a kubeconfig; flags
// are more options of upstream's.
func TestScheduler(ctx context.Context, kubeconfig string, flags []string) error {
	logs.InitLogs()
	return controlplane.RunScheduler(ctx, controlplane.TestSchedulerFlags(kubeconfig, flags))
}

// TestControllers runs some of upstream's controllers alone, as the user of a kubeconfig; flags
// are more options of upstream's.
func TestControllers(ctx context.Context, kubeconfig, controllers string, flags []string) error {
	logs.InitLogs()
	return controlplane.RunControllerManager(ctx, controlplane.TestControllerManagerFlags(kubeconfig, controllers, flags))
}

func testCluster(dir string) (*cluster.Cluster, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("finding a free port: %w", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		return nil, err
	}
	c := &cluster.Cluster{ID: "test", DataDir: dir, RunDir: filepath.Join(dir, "run"), APIPort: port, APIHost: "127.0.0.1",
		Nodes: []cluster.Node{{Name: "none"}}}
	if err := os.MkdirAll(c.RunDir, 0o700); err != nil {
		return nil, err
	}
	_, err = pki.Ensure(c, time.Now())
	return c, err
}

func equip(ctx context.Context, kubeconfig string) error {
	applier, err := manifests.NewApplier(kubeconfig)
	if err != nil {
		return err
	}
	schemas, err := manifests.Schemas()
	if err != nil {
		return err
	}
	common, err := manifests.RolesAndPolicies()
	if err != nil {
		return err
	}
	if err := applier.Apply(ctx, slices.Concat(schemas, common)); err != nil {
		return err
	}
	return applier.AwaitSchemas(ctx, schemas)
}
