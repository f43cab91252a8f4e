// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/dns"
	"slipway.dev/slipway/internal/embedded/role"
)

// roles are the processes of a cluster, started by its supervisor.
func roles(dataDir *string) []*cobra.Command {
	ofCluster := func(name string, run func(context.Context, *cluster.Cluster) error) *cobra.Command {
		return &cobra.Command{Use: name, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(*dataDir)
			if err != nil {
				return err
			}
			return run(cmd.Context(), c)
		}}
	}
	ofNode := func(name string, run func(context.Context, *cluster.Cluster, cluster.Node) error) *cobra.Command {
		var node string
		cmd := ofCluster(name, func(ctx context.Context, c *cluster.Cluster) error {
			n, found := c.NodeNamed(node)
			if !found {
				return fmt.Errorf("there is no node %q", node)
			}
			return run(ctx, c, n)
		})
		cmd.Flags().StringVar(&node, "node", "", "name of the node")
		return cmd
	}
	var corefile string
	dnsRole := &cobra.Command{Use: "dns", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return dns.Run(cmd.Context(), corefile)
	}}
	dnsRole.Flags().StringVar(&corefile, "corefile", "", "configuration of the DNS server")
	var kubeconfig string
	scheduler := &cobra.Command{Use: "test-scheduler [-- FLAG...]", RunE: func(cmd *cobra.Command, flags []string) error {
		return role.TestScheduler(cmd.Context(), kubeconfig, flags)
	}}
	scheduler.Flags().StringVar(&kubeconfig, "kubeconfig", "", "access of the scheduler's user")
	var running string
	controllers := &cobra.Command{Use: "test-controllers [-- FLAG...]", RunE: func(cmd *cobra.Command, flags []string) error {
		return role.TestControllers(cmd.Context(), kubeconfig, running, flags)
	}}
	controllers.Flags().StringVar(&kubeconfig, "kubeconfig", "", "access of the controllers' user")
	controllers.Flags().StringVar(&running, "run", "*", "names of the controllers, with commas between")
	return []*cobra.Command{
		ofCluster("server", role.Server), ofCluster("control", role.Control),
		ofNode("node", role.Node), ofNode("containerd", role.Containerd), dnsRole,
		{Use: "test-apiserver [-- FLAG...]", RunE: func(cmd *cobra.Command, flags []string) error {
			return role.TestAPIServer(cmd.Context(), *dataDir, flags)
		}},
		scheduler, controllers,
	}
}
