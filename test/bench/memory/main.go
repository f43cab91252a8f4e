// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Command memory measures what an idle cluster needs: the proportional set size
// of all its processes together, as "slipway status" shows it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/test/bench/rig"
)

// limit in megabytes (10⁶ bytes).
const limit = 700

func main() { os.Exit(rig.Main("memory", measure)) }

func measure(ctx context.Context, programs string) (bars []bench.Bar, err error) {
	own, err := ownCopy(programs)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(own)) }()
	c, err := rig.Boot(ctx, own)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Remove()) }()
	calm, err := settle(ctx, c)
	if err != nil {
		return nil, err
	}
	status, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	bars = append(bars, bench.AtMost("idle memory of all processes", megabytes(status.TotalBytes), "MB", limit))
	for _, p := range status.Processes {
		bars = append(bars, bench.Observed(p.Name, megabytes(p.Bytes), "MB"))
	}
	return append(bars,
		bench.Observed("shims and pods", megabytes(status.OtherBytes), "MB"),
		bench.Observed("processor while measured", calm.cores, "cores"),
		bench.Observed("measured after ready", calm.after.Seconds(), "s")), nil
}

// ownCopy copies the programs: a page that several processes map counts for each
// with its share only, so another cluster of the same files would make this one
// look smaller than it is alone.
func ownCopy(programs string) (string, error) {
	parent, err := os.MkdirTemp("/var/tmp", "slipway-bench-programs-")
	if err != nil {
		return "", fmt.Errorf("making a folder for programs: %w", err)
	}
	if err := os.CopyFS(parent, os.DirFS(programs)); err != nil {
		return "", errors.Join(fmt.Errorf("copying the programs: %w", err), os.RemoveAll(parent))
	}
	return parent, nil
}

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }
