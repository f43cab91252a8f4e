// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"fmt"

	"sigs.k8s.io/metrics-server/cmd/metrics-server/app/options"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// MetricsServerFlags are the options of the server of metrics.k8s.io, which
// "kubectl top" and horizontal autoscaling ask.
func MetricsServerFlags(c *cluster.Cluster) []string {
	kubeconfig := c.KubeconfigOf("metrics")
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--authentication-kubeconfig=" + kubeconfig,
		"--authorization-kubeconfig=" + kubeconfig,
		"--bind-address=" + c.NodeIP(c.First()).String(),
		fmt.Sprintf("--secure-port=%d", cluster.PortMetricsServer),
		"--tls-cert-file=" + c.PKI("metrics-server.crt"),
		"--tls-private-key-file=" + c.PKI("metrics-server.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--kubelet-certificate-authority=" + c.PKI("ca.crt"),
		"--metric-resolution=15s",
	}
}

// RunMetricsServer serves metrics.k8s.io until ctx ends.
func RunMetricsServer(ctx context.Context, flags []string) error {
	o := options.NewOptions()
	if err := parse("metrics-server", o.Flags(), flags); err != nil {
		return err
	}
	config, err := o.ServerConfig()
	if err != nil {
		return fmt.Errorf("configuring the metrics server: %w", err)
	}
	server, err := config.Complete()
	if err != nil {
		return fmt.Errorf("configuring the metrics server: %w", err)
	}
	return server.RunUntil(ctx.Done())
}
