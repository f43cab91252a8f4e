// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Command pod measures how long a pod takes from being applied to Running when
// its image is present: one after another, and many at once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/test/bench/rig"
)

// limit in seconds, for the median of pods started one after another.
const limit = 1.5

func main() {
	alone := flag.Int("n", 20, "pods to start one after another")
	together := flag.Int("together", 30, "pods to start at once")
	flag.Parse()
	os.Exit(rig.Main("pod", func(ctx context.Context, programs string) (bars []bench.Bar, err error) {
		c, err := rig.Boot(ctx, programs)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, c.Remove()) }()
		return measure(ctx, c, *alone, *together)
	}))
}

func measure(ctx context.Context, c *rig.Cluster, alone, together int) ([]bench.Bar, error) {
	namespace, err := c.MakeNamespace(ctx, "bench")
	if err != nil {
		return nil, err
	}
	var singles []float64
	for i := range alone {
		_, took, err := namespace.Run(ctx, fmt.Sprintf("alone-%d", i), 1)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(os.Stderr, "pod %d of %d: Running after %.2f s\n", i+1, alone, took)
		singles = append(singles, took)
	}
	each, all, err := namespace.Run(ctx, "together", together)
	if err != nil {
		return nil, err
	}
	return []bench.Bar{
		bench.AtMost("pod Running, one after another, p50", bench.Percentile(singles, 50), "s", limit),
		bench.Observed("pod Running, one after another, p95", bench.Percentile(singles, 95), "s"),
		bench.Observed(fmt.Sprintf("pod Running, %d at once, p50", together), bench.Percentile(each, 50), "s"),
		bench.Observed(fmt.Sprintf("pod Running, %d at once, p95", together), bench.Percentile(each, 95), "s"),
		bench.Observed(fmt.Sprintf("throughput, %d at once", together), float64(together)/all, "pods/s"),
	}, nil
}
