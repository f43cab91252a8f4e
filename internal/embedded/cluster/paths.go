// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
)

// Environment variables that choose directories.
const (
	EnvDataDir = "SLIPWAY_DATA_DIR"
	// EnvPlatform is the slipway program to run the platform with, when it is
	// not beside slipway-kube.
	EnvPlatform = "SLIPWAY_PLATFORM"
)

// DefaultDataDir is $SLIPWAY_DATA_DIR or, for root, /var/lib/slipway.
func DefaultDataDir() string {
	if dir := os.Getenv(EnvDataDir); dir != "" {
		return dir
	}
	return "/var/lib/slipway"
}

// IDOf derives the cluster's ID from its data directory, so that the run
// directory is found again after cluster.json was damaged.
func IDOf(dataDir string) string {
	sum := sha256.Sum256([]byte(dataDir))
	return hex.EncodeToString(sum[:4])
}

// RunDirOf is the run directory of a data directory. It is short because
// sockets in it may have paths of 107 bytes at most.
func RunDirOf(dataDir string) string { return filepath.Join("/run/slipway", IDOf(dataDir)) }

// Files lists what the cluster keeps in its data directory; the description is
// last, so that an interrupted reset can be repeated.
func (c *Cluster) Files() []string {
	return []string{"nodes", "etcd", "volumes", "log", "registries", "pki", "kubeconfig", "journal.json", "lock", "cluster.json"}
}

// HasData says that a cluster's data, or its description, are in a directory.
func HasData(dataDir string) bool {
	for _, path := range []string{File(dataDir), filepath.Join(dataDir, "etcd", "member"), filepath.Join(dataDir, "journal.json")} {
		if _, err := os.Stat(path); err == nil {
			return true
		}
	}
	return false
}

func (c *Cluster) data(elem ...string) string {
	return filepath.Join(append([]string{c.DataDir}, elem...)...)
}

func (c *Cluster) run(elem ...string) string {
	return filepath.Join(append([]string{c.RunDir}, elem...)...)
}

// Kubeconfig is the administrator's kubeconfig, mode 0600.
func (c *Cluster) Kubeconfig() string { return c.data("kubeconfig") }

// KubeconfigOf is the kubeconfig of one component.
func (c *Cluster) KubeconfigOf(component string) string {
	return c.data("pki", component+".kubeconfig")
}

// PKI is the path of a certificate or key.
func (c *Cluster) PKI(name string) string { return c.data("pki", name) }

// Etcd is the datastore's directory.
func (c *Cluster) Etcd() string { return c.data("etcd") }

// EtcdSocket is where the datastore answers clients.
func (c *Cluster) EtcdSocket() string { return c.run("etcd.sock") }

// EtcdPeerSocket is where the datastore would answer peers.
func (c *Cluster) EtcdPeerSocket() string { return c.run("etcd-peer.sock") }

// ControlSocket is where the supervisor answers the command line.
func (c *Cluster) ControlSocket() string { return c.run("control.sock") }

// Lock is held by the supervisor while it runs.
func (c *Cluster) Lock() string { return c.data("lock") }

// Log is the log file of a component.
func (c *Cluster) Log(component string) string { return c.data("log", component+".log") }

// AuditLog is the API server's audit log.
func (c *Cluster) AuditLog() string { return c.data("log", "audit.log") }

// Journal lists what was changed on the machine.
func (c *Cluster) Journal() string { return c.data("journal.json") }

// Volumes holds the directories of PersistentVolumes.
func (c *Cluster) Volumes() string { return c.data("volumes") }

// NodeDir is a node's own directory.
func (c *Cluster) NodeDir(n Node, elem ...string) string {
	return c.data(append([]string{"nodes", n.Name}, elem...)...)
}

// NodeRun is a node's own run directory. It is named by the index, which is
// short: the shims' sockets in it have names of 64 characters.
func (c *Cluster) NodeRun(n Node, elem ...string) string {
	return c.run(append([]string{fmt.Sprintf("n%d", n.Index)}, elem...)...)
}

// ContainerdSocket is where a node's containerd answers.
func (c *Cluster) ContainerdSocket(n Node) string { return c.NodeRun(n, "containerd.sock") }

// CgroupRoot is the parent of a node's pods.
func (c *Cluster) CgroupRoot(n Node) string { return "/slipway-" + c.ID + "/" + n.Name }
