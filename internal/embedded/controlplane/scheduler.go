// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"fmt"

	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"
	"k8s.io/kubernetes/cmd/kube-scheduler/app/options"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// SchedulerFlags are the options of Kubernetes' own scheduler, which binds the
// pods that no gang placed.
func SchedulerFlags(c *cluster.Cluster) []string {
	return append(servingFlags(c, "scheduler", cluster.PortScheduler, "component-serving"),
		"--client-ca-file="+c.PKI("ca.crt"),
		"--leader-elect=false",
		"--profiling=false",
	)
}

// TestSchedulerFlags are the options of a scheduler alone, against the API server
// of a kubeconfig: it serves nothing, and writes as fast as it can. More of them
// come last.
func TestSchedulerFlags(kubeconfig string, more []string) []string {
	flags := []string{
		"--kubeconfig=" + kubeconfig,
		"--secure-port=0",
		"--leader-elect=false",
		"--kube-api-qps=100000",
		"--kube-api-burst=100000",
	}
	return append(flags, more...)
}

// RunScheduler runs the scheduler until ctx ends.
func RunScheduler(ctx context.Context, flags []string) error {
	o := options.NewOptions()
	if err := parse("kube-scheduler", *o.Flags, flags); err != nil {
		return err
	}
	name, err := toolscache.NewInformerName("kube-scheduler")
	if err != nil {
		return fmt.Errorf("naming the scheduler's informers: %w", err)
	}
	o.InformerName = name
	config, scheduler, err := app.Setup(ctx, o)
	if err != nil {
		return fmt.Errorf("configuring the scheduler: %w", err)
	}
	return app.Run(ctx, config, scheduler)
}
