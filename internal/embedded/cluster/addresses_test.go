// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import "testing"

// TestAddressesAreDisjoint holds the address plan for every cluster that one
// machine can carry: nothing overlaps, and everything is where it belongs.
func TestAddressesAreDisjoint(t *testing.T) {
	clusters := make([]*Cluster, MaxIndex+1)
	for i := range clusters {
		clusters[i] = &Cluster{Index: i, DualStack: true}
		for j, a := range clusters[i].Prefixes() {
			for _, other := range clusters[:i] {
				for _, b := range other.Prefixes() {
					if a.Overlaps(b) {
						t.Errorf("clusters %d and %d: %s overlaps %s", i, other.Index, a, b)
					}
				}
			}
			for k, b := range clusters[i].Prefixes() {
				if j != k && a.Overlaps(b) {
					t.Errorf("cluster %d: %s overlaps %s", i, a, b)
				}
			}
		}
	}
}

func TestNodesAreWithinTheCluster(t *testing.T) {
	c := &Cluster{Index: 3, DualStack: true}
	for i := range MaxNodes {
		n := Node{Index: i}
		for what, inside := range map[string]bool{
			"address":     c.NodeSubnet().Contains(c.NodeIP(n)),
			"address 6":   c.NodeSubnet6().Contains(c.NodeIP6(n)),
			"pods":        c.PodCIDR().Overlaps(c.PodSubnet(n)) && c.PodSubnet(n).Bits() > c.PodCIDR().Bits(),
			"pods 6":      c.PodCIDR6().Overlaps(c.PodSubnet6(n)) && c.PodSubnet6(n).Bits() > c.PodCIDR6().Bits(),
			"masked pods": c.PodSubnet(n).Masked() == c.PodSubnet(n) && c.PodSubnet6(n).Masked() == c.PodSubnet6(n),
		} {
			if !inside {
				t.Errorf("node %d: its %s is not within the cluster's", i, what)
			}
		}
	}
	if !c.ServiceCIDR().Contains(c.DNSServiceIP()) || !c.ServiceCIDR6().Contains(c.DNSServiceIP6()) || !c.ServiceCIDR().Contains(c.APIServiceIP()) {
		t.Error("a service address is outside the service network")
	}
}
