// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cluster describes one embedded cluster on this machine: where its
// files are, which addresses it uses and which nodes it has.
//
// The description is decided once, by the first "slipway up" on a data
// directory, and kept in cluster.json there; every process of the cluster reads
// it. All addresses belong to a bridge of the cluster's own, so the cluster
// does not notice when the machine's address changes.
package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// Cluster is the description. Once a cluster is made only its ports and Nodes
// change, the latter while it runs.
type Cluster struct {
	// ID distinguishes clusters on one machine: eight hexadecimal digits.
	ID string `json:"id"`
	// DataDir holds everything that must survive a reboot.
	DataDir string `json:"dataDir"`
	// RunDir holds sockets and the state of containers; it is on a tmpfs.
	RunDir string `json:"runDir"`
	// Index of the cluster on this machine; addresses and link names follow from it.
	Index int `json:"index"`
	// DualStack says that pods and services have IPv6 addresses too.
	DualStack bool `json:"dualStack"`
	// APIPort of the API server on the first node's address.
	APIPort int `json:"apiPort"`
	// APIHost replaces the first node's address for an API server without nodes.
	APIHost string `json:"apiHost,omitempty"`
	// FrontDoor is the host:port on which the platform serves.
	FrontDoor string `json:"frontDoor"`
	// Nodes by the order in which they were added.
	Nodes []Node `json:"nodes"`
}

// Node is one node of the cluster, on this machine.
type Node struct {
	// Name of the node, also of its network namespace.
	Name string `json:"name"`
	// Index in the address plan. Node 0 is the machine itself; the others live
	// in network namespaces of their own.
	Index int `json:"index"`
}

// nodeName is a DNS label short enough to be part of the name of a network
// namespace.
var nodeName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$`)

// CheckNodeName says what a node may be called.
func CheckNodeName(name string) error {
	if !nodeName.MatchString(name) {
		return fmt.Errorf("node name %q must be lower-case letters, digits and '-', at most 32 characters", name)
	}
	return nil
}

// File is the path of the description in a data directory.
func File(dataDir string) string { return filepath.Join(dataDir, "cluster.json") }

// Load reads the description of a data directory. The error is fs.ErrNotExist
// when no cluster was made there yet.
func Load(dataDir string) (*Cluster, error) {
	content, err := os.ReadFile(File(dataDir))
	if err != nil {
		return nil, err
	}
	var c Cluster
	if err := json.Unmarshal(content, &c); err != nil {
		return nil, fmt.Errorf("reading %s: %w; restore the file, or start afresh with \"slipway reset\"", File(dataDir), err)
	}
	abs, err := filepath.Abs(dataDir)
	if err != nil {
		return nil, err
	}
	if err := c.check(abs); err != nil {
		return nil, fmt.Errorf("%s: %w; restore the file, or start afresh with \"slipway reset\"", File(dataDir), err)
	}
	return &c, nil
}

// check that the description is one that this program could have written.
func (c *Cluster) check(dataDir string) error {
	if c.DataDir != dataDir || c.ID != IDOf(dataDir) || c.RunDir != RunDirOf(dataDir) {
		return fmt.Errorf("it describes the cluster of another directory, %q", c.DataDir)
	}
	if c.Index < 0 || c.Index > MaxIndex {
		return fmt.Errorf("the index %d is not one of 0 to %d", c.Index, MaxIndex)
	}
	names, indexes := map[string]bool{}, map[int]bool{}
	for _, n := range c.Nodes {
		if err := CheckNodeName(n.Name); err != nil {
			return err
		}
		if names[n.Name] || indexes[n.Index] || n.Index < 0 || n.Index >= MaxNodes {
			return fmt.Errorf("node %q with index %d is there twice or out of range", n.Name, n.Index)
		}
		names[n.Name], indexes[n.Index] = true, true
	}
	if !indexes[0] || c.Nodes[0].Index != 0 {
		return errors.New("the first node is missing")
	}
	return nil
}

// Save writes the description so that a crash leaves the old or the new one.
func (c *Cluster) Save() error {
	content, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the cluster description: %w", err)
	}
	return WriteFile(File(c.DataDir), content, 0o600)
}

// WriteFile replaces a file atomically and durably, with the given mode.
func WriteFile(path string, content []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, werr := f.Write(content)
	err = errors.Join(werr, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// Clone is a copy that does not change with the original.
func (c *Cluster) Clone() *Cluster {
	clone := *c
	clone.Nodes = slices.Clone(c.Nodes)
	return &clone
}

// NodeNamed returns the node with the given name.
func (c *Cluster) NodeNamed(name string) (Node, bool) {
	for _, n := range c.Nodes {
		if n.Name == name {
			return n, true
		}
	}
	return Node{}, false
}

// APIServer is the address of the API server.
func (c *Cluster) APIServer() string {
	host := c.APIHost
	if host == "" {
		host = c.NodeIP(c.First()).String()
	}
	return fmt.Sprintf("https://%s:%d", host, c.APIPort)
}

// First is the node that is the machine itself.
func (c *Cluster) First() Node { return c.Nodes[0] }
