// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package network gives an embedded cluster its links, routes and addresses.
//
// The first node is the machine itself. Its address is on a bridge that
// belongs to the cluster, not on a link of the machine: the cluster works
// without a network and does not notice when the machine's address changes. A
// further node is a network namespace with a veth pair into that bridge.
//
//	machine ── bridge slipway0 (10.112.0.1) ──┬── veth ── node-1 (10.112.0.2)
//	   └ pods 10.113.0.0/24                   └── veth ── node-2 (10.112.0.3)
//	                                                         └ pods 10.113.2.0/24
//
// Pods are attached by upstream's ptp plugin: a veth pair and a route each, no
// second bridge. So every packet between pods is routed, passes the forward
// hook once, and can be judged there (package policy); a bridge would carry
// pods' packets past it. The machine routes between nodes and translates what
// leaves the cluster.
package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/journal"
)

// Prepare makes the bridge with the first node's addresses and lets the machine
// forward packets. It can be repeated.
func Prepare(c *cluster.Cluster, j *journal.Journal) error {
	if err := errors.Join(recordShared(j), forward(c, j)); err != nil {
		return err
	}
	if err := j.Record(journal.Entry{Kind: journal.Link, Name: c.Bridge()}); err != nil {
		return err
	}
	link := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: c.Bridge()}}
	if err := netlink.LinkAdd(link); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("adding link %s: %w", c.Bridge(), err)
	}
	bridge, err := netlink.LinkByName(c.Bridge())
	if err != nil {
		return fmt.Errorf("finding link %s: %w", c.Bridge(), err)
	}
	if err := addAddresses(bridge, nodeAddresses(c, c.First())); err != nil {
		return err
	}
	if err := netlink.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("setting link %s up: %w", c.Bridge(), err)
	}
	if err := routeToServices(c, bridge); err != nil {
		return err
	}
	return Masquerade(c, j)
}

// routeToServices gives service addresses a route from the machine itself. The
// service proxy changes the destination, but only of packets that the kernel
// found a route for: a machine without a default route has none.
func routeToServices(c *cluster.Cluster, bridge netlink.Link) error {
	routes := []*netlink.Route{{LinkIndex: bridge.Attrs().Index, Dst: ipNet(c.ServiceCIDR()), Src: c.NodeIP(c.First()).AsSlice()}}
	if c.DualStack {
		routes = append(routes, &netlink.Route{LinkIndex: bridge.Attrs().Index, Dst: ipNet(c.ServiceCIDR6()), Src: c.NodeIP6(c.First()).AsSlice()})
	}
	for _, route := range routes {
		if err := netlink.RouteReplace(route); err != nil {
			return fmt.Errorf("routing to services: %w", err)
		}
	}
	return nil
}

// nodeAddresses are a node's addresses with the length of their subnet.
func nodeAddresses(c *cluster.Cluster, n cluster.Node) []netip.Prefix {
	addresses := []netip.Prefix{netip.PrefixFrom(c.NodeIP(n), c.NodeSubnet().Bits())}
	if c.DualStack {
		addresses = append(addresses, netip.PrefixFrom(c.NodeIP6(n), c.NodeSubnet6().Bits()))
	}
	return addresses
}

// addAddresses adds addresses without duplicate address detection, which never
// ends on a bridge that has no ports and would leave the address unusable.
func addAddresses(link netlink.Link, addresses []netip.Prefix) error {
	return eachAddress(netlink.AddrReplace, link, addresses)
}

func eachAddress(set func(netlink.Link, *netlink.Addr) error, link netlink.Link, addresses []netip.Prefix) error {
	for _, p := range addresses {
		addr := &netlink.Addr{IPNet: ipNet(p)}
		if p.Addr().Is6() {
			addr.Flags = unix.IFA_F_NODAD
		}
		if err := set(link, addr); err != nil {
			return fmt.Errorf("giving %s the address %s: %w", link.Attrs().Name, p, err)
		}
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// forward records what the components change in the kernel and switches
// forwarding on.
func forward(c *cluster.Cluster, j *journal.Journal) error {
	on := []string{"/proc/sys/net/ipv4/ip_forward"}
	if c.DualStack {
		on = append(on, "/proc/sys/net/ipv6/conf/all/forwarding")
	}
	if err := keepRouterAdvertisements(c, j); err != nil {
		return err
	}
	if err := RecordSysctls(j, append(on, kubeletSysctls...)...); err != nil {
		return err
	}
	for _, path := range on {
		if err := os.WriteFile(path, []byte("1"), 0o644); err != nil {
			return fmt.Errorf("switching forwarding on: %w", err)
		}
	}
	return nil
}

// keepRouterAdvertisements of links that take them: the kernel stops to listen to
// them on a machine that forwards, and its default route goes, unless it is told
// that this is meant (ip-sysctl: accept_ra 2).
func keepRouterAdvertisements(c *cluster.Cluster, j *journal.Journal) error {
	const conf = "/proc/sys/net/ipv6/conf/"
	forwards := func(link string) bool { return parameter(conf+link+"/forwarding") != "0" }
	if !c.DualStack || forwards("all") {
		return nil
	}
	links, err := os.ReadDir(conf)
	if err != nil {
		return err
	}
	for _, link := range links {
		path := conf + link.Name() + "/accept_ra"
		if link.Name() == "all" || link.Name() == "default" || forwards(link.Name()) || parameter(path) != "1" {
			continue
		}
		if err := RecordSysctls(j, path); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte("2"), 0o644); err != nil {
			return fmt.Errorf("keeping router advertisements: %w", err)
		}
	}
	return nil
}

// parameter of the kernel, empty when it has none such.
func parameter(path string) string {
	value, _ := os.ReadFile(path)
	return strings.TrimSpace(string(value))
}

// kubeletSysctls are what the kubelet and the service proxy set on their own.
var kubeletSysctls = []string{
	"/proc/sys/vm/overcommit_memory", "/proc/sys/vm/panic_on_oom", "/proc/sys/kernel/panic",
	"/proc/sys/kernel/panic_on_oops", "/proc/sys/kernel/keys/root_maxkeys", "/proc/sys/kernel/keys/root_maxbytes",
	"/proc/sys/net/netfilter/nf_conntrack_max", "/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal",
	"/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established", "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close_wait",
	"/proc/sys/net/ipv4/conf/all/route_localnet",
}

// RecordSysctls writes the present values of kernel parameters to the journal.
// Parameters that this kernel does not have are passed over.
func RecordSysctls(j *journal.Journal, paths ...string) error {
	var entries []journal.Entry
	for _, path := range paths {
		value, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		entries = append(entries, journal.Entry{Kind: journal.Sysctl, Name: path, Value: string(value)})
	}
	return j.Record(entries...)
}
