// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"net/netip"
)

// MaxIndex is the highest Index of a cluster on one machine.
const MaxIndex = 40

// MaxNodes is how many nodes one machine can carry: one /24 of pods each.
const MaxNodes = 64

// Ports on a node's address; the last four are on the first node's alone. Only
// the API server's can be chosen.
const (
	PortKubelet           = 10250
	PortKubeletHealth     = 10248
	PortProxyHealth       = 10256
	PortProxyMetrics      = 10249
	PortControllerManager = 10257
	PortScheduler         = 10259
	PortMetricsServer     = 10270
	PortPlatform          = 10271
)

// block is the second octet of the cluster's first private network; each
// cluster takes three: nodes, pods, services.
func (c *Cluster) block() byte { return byte(112 + 3*c.Index) }

func v4(b, third, fourth byte) netip.Addr { return netip.AddrFrom4([4]byte{10, b, third, fourth}) }

// v6 is an address of the cluster's unique local /48 (RFC 4193): fdc0:5117:<index>::/48.
func (c *Cluster) v6(subnet, host uint16) netip.Addr {
	return netip.AddrFrom16([16]byte{0xfd, 0xc0, 0x51, 0x17, 0, byte(c.Index),
		byte(subnet >> 8), byte(subnet), 14: byte(host >> 8), 15: byte(host)})
}

// NodeSubnet is the network of node addresses.
func (c *Cluster) NodeSubnet() netip.Prefix { return netip.PrefixFrom(v4(c.block(), 0, 0), 24) }

// PodCIDR is the network of all pods.
func (c *Cluster) PodCIDR() netip.Prefix { return netip.PrefixFrom(v4(c.block()+1, 0, 0), 16) }

// ServiceCIDR is the network of services.
func (c *Cluster) ServiceCIDR() netip.Prefix { return netip.PrefixFrom(v4(c.block()+2, 0, 0), 16) }

// NodeSubnet6 is the network of nodes' IPv6 addresses.
func (c *Cluster) NodeSubnet6() netip.Prefix { return netip.PrefixFrom(c.v6(0, 0), 64) }

// PodCIDR6 is that of pods.
func (c *Cluster) PodCIDR6() netip.Prefix { return netip.PrefixFrom(c.v6(0x100, 0), 56) }

// ServiceCIDR6 is that of services.
func (c *Cluster) ServiceCIDR6() netip.Prefix { return netip.PrefixFrom(c.v6(2, 0), 112) }

// NodeIP is the address of a node; node 0 has the first of the subnet.
func (c *Cluster) NodeIP(n Node) netip.Addr { return v4(c.block(), 0, byte(n.Index+1)) }

// NodeIP6 is the IPv6 address of a node.
func (c *Cluster) NodeIP6(n Node) netip.Addr { return c.v6(0, uint16(n.Index+1)) }

// PodSubnet is a node's share of PodCIDR.
func (c *Cluster) PodSubnet(n Node) netip.Prefix {
	return netip.PrefixFrom(v4(c.block()+1, byte(n.Index), 0), 24)
}

// PodSubnet6 is a node's share of PodCIDR6.
func (c *Cluster) PodSubnet6(n Node) netip.Prefix {
	return netip.PrefixFrom(c.v6(0x100+uint16(n.Index), 0), 64)
}

// APIServiceIP is the address of the Service kubernetes.default.
func (c *Cluster) APIServiceIP() netip.Addr { return v4(c.block()+2, 0, 1) }

// DNSServiceIP is the address of the Service kube-dns.
func (c *Cluster) DNSServiceIP() netip.Addr { return v4(c.block()+2, 0, 10) }

// DNSServiceIP6 is its IPv6 address.
func (c *Cluster) DNSServiceIP6() netip.Addr { return c.v6(2, 10) }

// Prefixes lists the networks that the cluster claims.
func (c *Cluster) Prefixes() []netip.Prefix {
	prefixes := []netip.Prefix{c.NodeSubnet(), c.PodCIDR(), c.ServiceCIDR()}
	if c.DualStack {
		prefixes = append(prefixes, c.NodeSubnet6(), c.PodCIDR6(), c.ServiceCIDR6())
	}
	return prefixes
}

// Bridge is the name of the link that holds node addresses.
func (c *Cluster) Bridge() string { return fmt.Sprintf("slipway%d", c.Index) }

// Netns is the name of a further node's network namespace, empty for the first
// node, which uses the machine's own.
func (c *Cluster) Netns(n Node) string {
	if n.Index == 0 {
		return ""
	}
	return fmt.Sprintf("slipway-%s-%s", c.ID, n.Name)
}
