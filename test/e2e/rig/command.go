// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway.dev/slipway/internal/embedded/control"
)

// limit ends whatever hangs; nothing is asserted about time.
const limit = 3 * time.Minute

// Output is what a command left behind.
type Output struct {
	Stdout, Stderr string
	Code           int
	Took           time.Duration
}

// Run runs slipway on the cluster's data directory, whatever comes of it.
func (c *Cluster) Run(t *testing.T, args ...string) Output {
	t.Helper()
	return c.feed(t, "", args...)
}

// OK runs slipway, which must succeed, and returns its standard output.
func (c *Cluster) OK(t *testing.T, args ...string) string {
	t.Helper()
	o := c.Run(t, args...)
	if o.Code != 0 {
		t.Fatalf("slipway %s ended with code %d: %s%s", strings.Join(args, " "), o.Code, o.Stdout, o.Stderr)
	}
	return o.Stdout
}

// Apply applies a manifest.
func (c *Cluster) Apply(t *testing.T, namespace, manifest string) {
	t.Helper()
	o := c.feed(t, manifest, "kubectl", "apply", "-n", namespace, "-f", "-")
	if o.Code != 0 {
		t.Fatalf("applying a manifest: %s\n%s", o.Stderr, manifest)
	}
}

func (c *Cluster) feed(t *testing.T, stdin string, args ...string) Output {
	t.Helper()
	cmd := c.command(args...)
	cmd.Stdin = strings.NewReader(stdin)
	return RunCommand(t, cmd)
}

// command is slipway with arguments, for this cluster.
func (c *Cluster) command(args ...string) *exec.Cmd {
	cmd := exec.Command(c.Program(), args...)
	cmd.Env = append(os.Environ(), "SLIPWAY_DATA_DIR="+c.Data, "KUBECONFIG=")
	return cmd
}

// Program is the slipway that is tested.
func (c *Cluster) Program() string { return c.File("build/bin/slipway") }

// File is a file of the checkout.
func (c *Cluster) File(path string) string { return filepath.Join(c.root, path) }

// RunCommand runs a command to its end. One that cannot be started, or that
// hangs, fails the test.
func RunCommand(t *testing.T, cmd *exec.Cmd) Output {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", cmd.Path, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	stop()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("running %v: %v %v\n%s%s", cmd.Args, err, ctx.Err(), out.String(), errs.String())
	}
	return Output{out.String(), errs.String(), cmd.ProcessState.ExitCode(), time.Since(began)}
}

// Status is what "slipway status" says.
func (c *Cluster) Status(t *testing.T) (control.Status, error) {
	t.Helper()
	var status control.Status
	o := c.Run(t, "status", "-o", "json")
	if o.Code != 0 {
		return status, errors.New(strings.TrimSpace(o.Stderr))
	}
	return status, json.Unmarshal([]byte(o.Stdout), &status)
}

// AwaitReady returns when "slipway status" says that the cluster is ready.
func (c *Cluster) AwaitReady(t *testing.T) {
	t.Helper()
	Eventually(t, "the cluster is ready", func(context.Context) error {
		status, err := c.Status(t)
		if err == nil && !status.Ready {
			err = errors.New("it is not")
		}
		return err
	})
}
