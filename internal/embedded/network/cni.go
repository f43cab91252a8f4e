// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"encoding/json"
	"fmt"
	"net/netip"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// CNIConfig is the network configuration of a node: upstream's ptp, host-local
// and portmap plugins, after our own that prepares the namespace. It is written before the kubelet starts, so that the
// node is ready as soon as the kubelet is.
func CNIConfig(c *cluster.Cluster, n cluster.Node) ([]byte, error) {
	type object = map[string]any
	subnets := []netip.Prefix{c.PodSubnet(n)}
	routes := []object{{"dst": "0.0.0.0/0"}}
	if c.DualStack {
		subnets = append(subnets, c.PodSubnet6(n))
		routes = append(routes, object{"dst": "::/0"})
	}
	var ranges [][]object
	for _, subnet := range subnets {
		ranges = append(ranges, []object{{"subnet": subnet.String()}})
	}
	content, err := json.MarshalIndent(object{
		"cniVersion": "1.0.0",
		"name":       "slipway",
		"plugins": []object{
			{"type": "cni-netns"},
			{"type": "ptp", "ipMasq": false, "ipam": object{
				"type": "host-local", "dataDir": c.NodeRun(n, "ipam"), "ranges": ranges, "routes": routes}},
			{"type": "portmap", "backend": "nftables", "capabilities": object{"portMappings": true}},
		},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the network configuration: %w", err)
	}
	return content, nil
}
