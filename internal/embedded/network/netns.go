// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/journal"
)

// netnsDir is where iproute2 keeps named network namespaces.
const netnsDir = "/var/run/netns"

// NetnsPath is the path of a node's network namespace.
func NetnsPath(c *cluster.Cluster, n cluster.Node) string {
	return filepath.Join(netnsDir, c.Netns(n))
}

// AddNode connects a further node: its namespace, the veth pair into the
// bridge, and the routes to and from its pods. It can be repeated.
func AddNode(c *cluster.Cluster, n cluster.Node, j *journal.Journal) error {
	if n.Index == 0 {
		return nil
	}
	outside := vethName(c, n)
	if err := j.Record(
		journal.Entry{Kind: journal.Netns, Name: c.Netns(n)},
		journal.Entry{Kind: journal.Link, Name: outside}); err != nil {
		return err
	}
	ns, err := openNetns(c.Netns(n))
	if err != nil {
		return err
	}
	defer func() { _ = ns.Close() }()
	if err := addVeth(c, outside, ns); err != nil {
		return err
	}
	if err := configureInside(c, n, ns); err != nil {
		return err
	}
	return routeToPods(c, n)
}

// RemoveNode takes away what AddNode made.
func RemoveNode(c *cluster.Cluster, n cluster.Node, j *journal.Journal) error {
	if n.Index == 0 {
		return nil
	}
	if err := forgetPods(c, n); err != nil {
		return err
	}
	for _, e := range []journal.Entry{{Kind: journal.Link, Name: vethName(c, n)}, {Kind: journal.Netns, Name: c.Netns(n)}} {
		if err := Undo(e); err != nil {
			return err
		}
		if err := j.Forget(e); err != nil {
			return err
		}
	}
	return nil
}

func vethName(c *cluster.Cluster, n cluster.Node) string {
	return fmt.Sprintf("sw%d-%d", c.Index, n.Index)
}

// openNetns returns the named namespace, made if need be.
func openNetns(name string) (netns.NsHandle, error) {
	if ns, err := netns.GetFromName(name); err == nil {
		return ns, nil
	}
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return netns.None(), fmt.Errorf("opening the present network namespace: %w", err)
	}
	defer func() { _ = home.Close() }()
	ns, err := netns.NewNamed(name)
	if back := netns.Set(home); back != nil {
		// The thread stays locked, so that the runtime ends it with the goroutine.
		return netns.None(), fmt.Errorf("returning from network namespace %s: %w", name, back)
	}
	runtime.UnlockOSThread()
	if err != nil {
		return netns.None(), fmt.Errorf("making network namespace %s: %w", name, err)
	}
	return ns, nil
}

// addVeth makes the pair with its inner end, eth0, in the namespace.
func addVeth(c *cluster.Cluster, outside string, ns netns.NsHandle) error {
	bridge, err := netlink.LinkByName(c.Bridge())
	if err != nil {
		return fmt.Errorf("finding link %s: %w", c.Bridge(), err)
	}
	veth := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: outside, MasterIndex: bridge.Attrs().Index},
		PeerName:      "eth0",
		PeerNamespace: netlink.NsFd(int(ns)),
	}
	if err := netlink.LinkAdd(veth); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("adding link %s: %w", outside, err)
	}
	link, err := netlink.LinkByName(outside)
	if err != nil {
		return fmt.Errorf("finding link %s: %w", outside, err)
	}
	return netlink.LinkSetUp(link)
}

func configureInside(c *cluster.Cluster, n cluster.Node, ns netns.NsHandle) error {
	inside, err := netlink.NewHandleAt(ns)
	if err != nil {
		return fmt.Errorf("opening network namespace %s: %w", c.Netns(n), err)
	}
	defer inside.Close()
	for _, name := range []string{"lo", "eth0"} {
		link, err := inside.LinkByName(name)
		if err != nil {
			return fmt.Errorf("finding link %s in %s: %w", name, c.Netns(n), err)
		}
		if name == "eth0" {
			if err := eachAddress(inside.AddrReplace, link, nodeAddresses(c, n)); err != nil {
				return err
			}
		}
		if err := inside.LinkSetUp(link); err != nil {
			return fmt.Errorf("setting link %s up in %s: %w", name, c.Netns(n), err)
		}
	}
	gateways := []netip.Addr{c.NodeIP(c.First())}
	if c.DualStack {
		gateways = append(gateways, c.NodeIP6(c.First()))
	}
	for _, gateway := range gateways {
		zero := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		if gateway.Is6() {
			zero = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		}
		if err := inside.RouteReplace(&netlink.Route{Dst: ipNet(zero), Gw: gateway.AsSlice()}); err != nil {
			return fmt.Errorf("routing from %s: %w", c.Netns(n), err)
		}
	}
	return forwardInside(ns)
}

// forwardInside switches forwarding on in the namespace: /proc/sys/net shows
// the namespace of the thread that opens it.
func forwardInside(ns netns.NsHandle) error {
	done := make(chan error)
	go func() {
		// Not unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		if err := netns.Set(ns); err != nil {
			done <- err
			return
		}
		err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
		if v6 := os.WriteFile("/proc/sys/net/ipv6/conf/all/forwarding", []byte("1"), 0o644); !errors.Is(v6, os.ErrNotExist) {
			err = errors.Join(err, v6)
		}
		done <- err
	}()
	if err := <-done; err != nil {
		return fmt.Errorf("switching forwarding on in the namespace: %w", err)
	}
	return nil
}

// podRoutes lead from the machine to a further node's pods.
func podRoutes(c *cluster.Cluster, n cluster.Node) []*netlink.Route {
	routes := []*netlink.Route{{Dst: ipNet(c.PodSubnet(n)), Gw: c.NodeIP(n).AsSlice()}}
	if c.DualStack {
		routes = append(routes, &netlink.Route{Dst: ipNet(c.PodSubnet6(n)), Gw: c.NodeIP6(n).AsSlice()})
	}
	return routes
}

func routeToPods(c *cluster.Cluster, n cluster.Node) error {
	for _, route := range podRoutes(c, n) {
		if err := netlink.RouteReplace(route); err != nil {
			return fmt.Errorf("routing to the pods of %s: %w", n.Name, err)
		}
	}
	return nil
}

func forgetPods(c *cluster.Cluster, n cluster.Node) error {
	for _, route := range podRoutes(c, n) {
		if err := netlink.RouteDel(route); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("removing the route to the pods of %s: %w", n.Name, err)
		}
	}
	return nil
}
