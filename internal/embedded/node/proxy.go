// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"
	"k8s.io/kubernetes/cmd/kube-proxy/app"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// proxyFlags are the options of the service proxy. It leaves the kernel's
// connection tracking limits as the machine has them.
func proxyFlags(c *cluster.Cluster, n cluster.Node) []string {
	ip := c.NodeIP(n).String()
	pods := c.PodCIDR().String()
	if c.DualStack {
		pods += "," + c.PodCIDR6().String()
	}
	return []string{
		"--kubeconfig=" + c.KubeconfigOf("proxy-"+n.Name),
		"--hostname-override=" + n.Name,
		"--proxy-mode=nftables",
		"--cluster-cidr=" + pods,
		"--detect-local-mode=ClusterCIDR",
		fmt.Sprintf("--healthz-bind-address=%s:%d", ip, cluster.PortProxyHealth),
		fmt.Sprintf("--metrics-bind-address=%s:%d", ip, cluster.PortProxyMetrics),
		"--conntrack-max-per-core=0",
		"--conntrack-min=0",
		"--conntrack-tcp-timeout-established=0",
		"--conntrack-tcp-timeout-close-wait=0",
		"--oom-score-adj=0",
		"--iptables-min-sync-period=100ms",
	}
}

// RunProxy runs the service proxy until ctx ends.
func RunProxy(ctx context.Context, c *cluster.Cluster, n cluster.Node) error {
	o := app.NewOptions()
	flags := pflag.NewFlagSet("kube-proxy", pflag.ContinueOnError)
	o.AddFlags(flags)
	if err := flags.Parse(proxyFlags(c, n)); err != nil {
		return fmt.Errorf("setting options of the service proxy: %w", err)
	}
	if err := o.Complete(flags); err != nil {
		return fmt.Errorf("completing options of the service proxy: %w", err)
	}
	if err := o.Validate(); err != nil {
		return fmt.Errorf("checking options of the service proxy: %w", err)
	}
	// Upstream's loop does not end with ctx; the rules that it wrote stay.
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}
