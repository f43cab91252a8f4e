// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"slipway.dev/slipway/internal/bench"
)

// medianOf several runs, after one that warms up.
func medianOf(ctx context.Context, run func() (time.Duration, error)) (time.Duration, error) {
	var took []float64
	for i := range decideRuns + 1 {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		one, err := run()
		if err != nil {
			return 0, err
		}
		if i > 0 {
			took = append(took, float64(one))
		}
	}
	return time.Duration(bench.Percentile(took, 50)), nil
}

// processorTime of this process, collecting garbage included. Whatever else the
// machine does counts in the time by the clock, and more in a long run than in a short
// one.
func processorTime() time.Duration {
	var used unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &used); err != nil {
		panic(err) // The clock has been there since Linux 2.6.
	}
	return time.Duration(used.Nano())
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
