// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/policy"
)

// RunPolicy enforces network policies on the node's pods until ctx ends, and
// calls ready once they are in force.
func RunPolicy(ctx context.Context, c *cluster.Cluster, n cluster.Node, ready func()) error {
	config, err := clientcmd.BuildConfigFromFlags("", c.KubeconfigOf("policy-"+n.Name))
	if err != nil {
		return fmt.Errorf("reading the kubeconfig of network policy: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	nft, err := policy.Open()
	if err != nil {
		return err
	}
	families, cidrs := []corev1.IPFamily{corev1.IPv4Protocol}, []netip.Prefix{c.PodSubnet(n)}
	if c.DualStack {
		families, cidrs = append(families, corev1.IPv6Protocol), append(cidrs, c.PodSubnet6(n))
	}
	return policy.Run(ctx, policy.Config{Node: n.Name, Client: client, Nft: nft, Ready: ready, PodCIDRs: cidrs, Families: families})
}
