// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Command trace simulates a week of a mixed trace on 128 nodes of 8 GPUs under the
// scheduler's own decisions, strict FIFO and plain best-effort skipping, for several
// seeds, and compares utilisation, waits and fairness. It needs no cluster.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/internal/simulate"
	"slipway.dev/slipway/internal/simulate/trace"
)

const (
	// large gangs take eight whole nodes and more.
	large = 64
	// settleEvery bounds what planning costs, in seconds of the trace.
	settleEvery = 120
)

func main() {
	seeds := flag.Uint64("seeds", 3, "weeks to simulate, each from a seed of its own")
	load := flag.Float64("load", 0.95, "GPU time that the jobs ask for, as a share of what there is in the week")
	write := flag.String("write", "", "write the trace of the first seed to this `file` and simulate nothing")
	flag.Parse()
	if err := run(*seeds, *load, *write); err != nil {
		fmt.Fprintln(os.Stderr, "trace:", err)
		os.Exit(1)
	}
}

func run(seeds uint64, load float64, write string) error {
	if write != "" {
		return os.WriteFile(write, []byte(trace.Format(records(load, 1))), 0o644)
	}
	weeks := map[simulate.Policy][]simulate.Report{}
	for seed := uint64(1); seed <= seeds; seed++ {
		in := input(load, seed)
		// Strict FIFO comes first: it starves nobody, so that a gang which waits longer
		// than anyone does there has starved.
		patience := int64(0)
		for _, policy := range []simulate.Policy{simulate.FIFO, simulate.BestEffort, simulate.Slipway} {
			began := time.Now()
			result, err := simulate.Run(in, policy)
			if err != nil {
				return err
			}
			report := result.Report(simulate.Terms{Resource: trace.GPU, To: week, Large: large, Patience: patience})
			if policy == simulate.FIFO {
				patience, report.Starved = int64(report.All.Max), nil
			}
			weeks[policy] = append(weeks[policy], report)
			fmt.Fprintf(os.Stderr, "seed %d, %s: %d jobs in %.1f s\n", seed, policy, len(in.Jobs), time.Since(began).Seconds())
		}
	}
	return bench.Write("trace", bars(weeks))
}
