// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/control"
)

// Cluster is one cluster of a benchmark.
type Cluster struct {
	// FrontDoor is the host:port given to "slipway up".
	FrontDoor string

	slipway string // the program
	dir     string // what Remove removes last
	control *control.Client
}

// New chooses a fresh data directory and a free port. Nothing runs before Up;
// Remove must be called in any case.
func New(programs string) (*Cluster, error) {
	// Below /var/tmp, which is on a disk; /tmp may be memory, where etcd and
	// containerd are faster than they will be for anybody.
	dir, err := os.MkdirTemp("/var/tmp", "slipway-bench-")
	if err != nil {
		return nil, fmt.Errorf("making a data directory: %w", err)
	}
	c := &Cluster{slipway: filepath.Join(programs, "slipway"), dir: dir}
	paths := cluster.Cluster{RunDir: cluster.RunDirOf(c.dataDir())}
	c.control = control.NewClient(paths.ControlSocket())
	if c.FrontDoor, err = freePort(); err != nil {
		return nil, errors.Join(err, os.Remove(dir))
	}
	return c, nil
}

// Boot is New and Up.
func Boot(ctx context.Context, programs string) (*Cluster, error) {
	c, err := New(programs)
	if err != nil {
		return nil, err
	}
	if err := c.Up(ctx); err != nil {
		return nil, errors.Join(err, c.Remove())
	}
	return c, nil
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// Up is "slipway up --detach". It ends before its time only with the boot: a
// supervisor that is left on its own half-way could not be found to be removed.
func (c *Cluster) Up(ctx context.Context) error {
	return errors.Join(c.command("up", "--detach", "--listen", c.FrontDoor), context.Cause(ctx))
}

// Status is what "slipway status" shows, from where it has it, without the cost
// of starting a program each time.
func (c *Cluster) Status(ctx context.Context) (*control.Status, error) { return c.control.Status(ctx) }

// Remove is "slipway reset": everything that the cluster left is undone.
func (c *Cluster) Remove() error {
	if _, err := os.Stat(cluster.File(c.dataDir())); err == nil {
		if err := c.command("reset", "--yes"); err != nil {
			return err
		}
	}
	return os.RemoveAll(c.dir)
}

func (c *Cluster) dataDir() string { return filepath.Join(c.dir, "data") }

// command runs slipway out of Ctrl-C's reach, which would interrupt a reset too.
func (c *Cluster) command(verb string, args ...string) error {
	var output bytes.Buffer
	cmd := exec.Command(c.slipway, append([]string{verb, "--data-dir", c.dataDir()}, args...)...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(output.String()), "\n")
		return fmt.Errorf("slipway %s --data-dir %s: %w: %s", verb, c.dataDir(), err, lines[len(lines)-1])
	}
	return nil
}
