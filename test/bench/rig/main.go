// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"slipway.dev/slipway/internal/bench"
)

// Measure makes clusters of the programs in a folder, as "make build" leaves
// them, and returns what it measured. It removes its clusters, also when ctx ends.
type Measure func(ctx context.Context, programs string) ([]bench.Bar, error)

// Main runs a benchmark, reports its bars and returns the program's exit code. A
// bar that is missed is a result, not a failure. The first Ctrl-C ends the
// measuring and removes its clusters, the second ends the program at once.
func Main(name string, measure Measure) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop)
	if err := run(ctx, name, measure); err != nil {
		fmt.Fprintf(os.Stderr, "bench-%s: %s\n", name, strings.ReplaceAll(err.Error(), "\n", "; "))
		return 1
	}
	return 0
}

func run(ctx context.Context, name string, measure Measure) error {
	programs, err := findPrograms()
	if err != nil {
		return err
	}
	load := bench.LoadAverage()
	bars, err := measure(ctx, programs)
	if err != nil {
		return err
	}
	return bench.Write(name, append(bars, bench.Observed("load average of the machine before", load, "")))
}

// findPrograms refuses what would fail later and less clearly.
func findPrograms() (string, error) {
	if os.Geteuid() != 0 {
		return "", errors.New("starting a cluster needs root; run it with sudo")
	}
	programs, err := filepath.Abs(filepath.Join("build", "bin"))
	if err != nil {
		return "", err
	}
	for _, name := range []string{"slipway", "slipway-kube"} {
		if _, err := os.Stat(filepath.Join(programs, name)); err != nil {
			return "", fmt.Errorf("%s is missing; run \"make build\", and this from the folder that it was run in", filepath.Join(programs, name))
		}
	}
	return programs, nil
}
