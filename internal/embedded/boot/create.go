// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package boot wires an embedded cluster together and runs it: which steps, in
// which order, which processes, and what happens when one ends.
package boot

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// Shape is what "slipway up" may choose for a new cluster.
type Shape struct {
	DataDir   string
	Nodes     int
	APIPort   int
	FrontDoor string
}

// LoadOrCreate returns the cluster of a data directory. An existing one keeps
// its addresses; nodes may be added to it, and ports changed. Nothing is written
// before Run.
func LoadOrCreate(shape Shape, host cluster.Host) (*cluster.Cluster, error) {
	if err := shape.check(); err != nil {
		return nil, err
	}
	c, err := cluster.Load(shape.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		if cluster.HasData(shape.DataDir) {
			return nil, fmt.Errorf("there are data of a cluster in %s, but no %s; restore that file, or remove the data with \"slipway reset --yes\"",
				shape.DataDir, filepath.Base(cluster.File(shape.DataDir)))
		}
		c, err = create(shape, host)
	}
	if err != nil {
		return nil, err
	}
	if shape.APIPort != 0 {
		c.APIPort = shape.APIPort
	}
	if shape.FrontDoor != "" {
		c.FrontDoor = shape.FrontDoor
	}
	for len(c.Nodes) < shape.Nodes {
		if _, err := appendNode(c, ""); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Defaults of a new cluster.
const (
	DefaultAPIPort   = 6443
	DefaultFrontDoor = "127.0.0.1:8484"
)

// pathLimit keeps sockets below the data directory's run directory legal, and
// the data directory itself within what a mount option may name.
const pathLimit = 200

func (s Shape) check() error {
	if filepath.Clean(s.DataDir) == "/" {
		return errors.New("--data-dir / is the root of the file system; choose a directory for the cluster alone, such as /var/lib/slipway")
	}
	if !filepath.IsAbs(s.DataDir) || len(s.DataDir) > pathLimit {
		return fmt.Errorf("--data-dir %q must be an absolute path of at most %d characters", s.DataDir, pathLimit)
	}
	if s.Nodes < 0 || s.Nodes > cluster.MaxNodes {
		return fmt.Errorf("--nodes %d is out of range; one machine carries 1 to %d nodes", s.Nodes, cluster.MaxNodes)
	}
	if s.APIPort < 0 || s.APIPort > 65535 {
		return fmt.Errorf("--api-port %d is not a port; choose 1 to 65535", s.APIPort)
	}
	if s.FrontDoor != "" {
		if _, err := net.ResolveTCPAddr("tcp", s.FrontDoor); err != nil {
			return fmt.Errorf("--listen %q is not host:port: %w; write it like %s", s.FrontDoor, err, DefaultFrontDoor)
		}
	}
	return nil
}

func create(shape Shape, host cluster.Host) (*cluster.Cluster, error) {
	c := &cluster.Cluster{
		ID:        cluster.IDOf(shape.DataDir),
		DataDir:   shape.DataDir,
		RunDir:    cluster.RunDirOf(shape.DataDir),
		DualStack: host.IPv6,
		APIPort:   DefaultAPIPort,
		FrontDoor: DefaultFrontDoor,
	}
	if err := chooseIndex(c); err != nil {
		return nil, err
	}
	_, err := appendNode(c, "")
	return c, err
}

// chooseIndex finds private networks that nothing on this machine uses.
func chooseIndex(c *cluster.Cluster) error {
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return fmt.Errorf("listing routes: %w", err)
	}
	for c.Index = 0; c.Index <= cluster.MaxIndex; c.Index++ {
		_, err := netlink.LinkByName(c.Bridge())
		if errors.As(err, &netlink.LinkNotFoundError{}) && !overlaps(c.Prefixes(), routes) {
			return nil
		}
	}
	return errors.New("all private networks for clusters (10.112.0.0 to 10.234.255.255) are in use on this machine; remove a cluster with \"slipway reset\"")
}

func overlaps(prefixes []netip.Prefix, routes []netlink.Route) bool {
	for _, route := range routes {
		if route.Dst == nil {
			continue
		}
		addr, ok := netip.AddrFromSlice(route.Dst.IP)
		bits, _ := route.Dst.Mask.Size()
		if !ok || bits == 0 {
			continue
		}
		for _, p := range prefixes {
			if p.Overlaps(netip.PrefixFrom(addr.Unmap(), bits)) {
				return true
			}
		}
	}
	return false
}

// appendNode adds a node with the lowest free index; without a name it is named
// by the index.
func appendNode(c *cluster.Cluster, name string) (cluster.Node, error) {
	used := make(map[int]bool)
	for _, n := range c.Nodes {
		used[n.Index] = true
	}
	index := 0
	for used[index] {
		index++
	}
	if index >= cluster.MaxNodes {
		return cluster.Node{}, fmt.Errorf("the cluster has %d nodes; one machine carries no more", len(c.Nodes))
	}
	if name == "" {
		name = fmt.Sprintf("node-%d", index)
	}
	if _, taken := c.NodeNamed(name); taken {
		return cluster.Node{}, fmt.Errorf("there is a node %q already", name)
	}
	n := cluster.Node{Name: name, Index: index}
	c.Nodes = append(c.Nodes, n)
	return n, nil
}
