// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// Cluster is a cluster of one test.
type Cluster struct {
	// Data is its data directory.
	Data string
	// FrontDoor is the host:port given to "slipway up".
	FrontDoor string

	root string // of the checkout
}

// New chooses a data directory and a free port. Whatever is started there is
// removed when the test ends.
func New(t *testing.T) *Cluster {
	t.Helper()
	// On a disk; /tmp may be memory.
	return NewIn(t, "/var/tmp")
}

// NewIn is New with the data directory below another one. Both are short,
// because they are part of mount options and of what failures print.
func NewIn(t *testing.T, parent string) *Cluster {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a cluster on this machine needs root")
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(parent, "slipway-e2e-") //nolint:usetesting // it stays when the cluster does
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{Data: filepath.Join(dir, "data"), FrontDoor: freePort(t), root: root}
	t.Cleanup(func() {
		c.explain(t)
		if err := c.remove(t); err != nil {
			t.Errorf("%v; what it left is below %s", err, dir)
		} else if err := os.RemoveAll(dir); err != nil {
			t.Errorf("removing what the test left: %v", err)
		}
	})
	return c
}

// Start starts a new cluster and returns when all its nodes can run the image.
func Start(t *testing.T, flags ...string) *Cluster {
	t.Helper()
	c := New(t)
	c.Up(t, flags...)
	c.ImportProbe(t)
	return c
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// Up is "slipway up --detach"; it returns when every node is Ready, too.
func (c *Cluster) Up(t *testing.T, flags ...string) {
	t.Helper()
	o := c.Run(t, append([]string{"up", "--detach", "--listen", c.FrontDoor}, flags...)...)
	if o.Code != 0 {
		t.Fatalf("slipway up ended with code %d:\n%s%s", o.Code, o.Stdout, o.Stderr)
	}
	t.Logf("slipway up took %.2f s", o.Took.Seconds())
	c.AwaitNodes(t, "all Ready", NodesReady)
}

// Exists says whether a cluster was made in the data directory.
func (c *Cluster) Exists() bool {
	_, err := os.Stat(cluster.File(c.Data))
	return err == nil
}

func (c *Cluster) remove(t *testing.T) error {
	if !c.Exists() {
		return nil
	}
	if o := c.Run(t, "reset", "--yes"); o.Code != 0 {
		return fmt.Errorf("slipway reset ended with code %d: %s", o.Code, o.Stderr)
	}
	return nil
}

// explain prints what somebody needs to understand a failure on a machine that
// they cannot see.
func (c *Cluster) explain(t *testing.T) {
	if !t.Failed() || !c.Exists() {
		return
	}
	for _, args := range [][]string{
		{"status"}, {"kubectl", "get", "nodes,pods", "-A", "-o", "wide"},
		{"kubectl", "get", "events", "-A", "--sort-by=.lastTimestamp"},
	} {
		o := c.Run(t, args...)
		t.Logf("slipway %v:\n%s%s", args, o.Stdout, o.Stderr)
	}
	logs, _ := filepath.Glob(filepath.Join(c.Data, "log", "*.log"))
	for _, log := range logs {
		if filepath.Base(log) != "audit.log" {
			content, _ := os.ReadFile(log)
			t.Logf("the end of %s:\n%s", filepath.Base(log), content[max(0, len(content)-4000):])
		}
	}
}
