// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/test/scale/lab"
)

// scenario is one question.
type scenario struct {
	name string
	// limit is when it is given up; it includes making nodes and pods.
	limit   time.Duration
	measure func(context.Context, *options) ([]bench.Bar, error)
}

var scenarios = []scenario{
	{"jobs", 10 * time.Minute, measureJobs},
	{"requests", 5 * time.Minute, measureRequests},
	{"gang", 5 * time.Minute, measureGang},
	{"verdict", 5 * time.Minute, measureVerdict},
	{"churn", 20 * time.Minute, measureChurn},
	{"restart", 15 * time.Minute, measureRestart},
	{"reclaim", 10 * time.Minute, measureReclaim},
	{"workloads", 10 * time.Minute, measureWorkloads},
	{"growth", 15 * time.Minute, measureGrowth},
	{"decide", 10 * time.Minute, measureDecide},
}

// run returns the bars of the scenario, with its name before each. One that fails
// has those that it came to, and says that it did not end.
func (s scenario) run(ctx context.Context, o *options) []bench.Bar {
	ctx, cancel := context.WithTimeoutCause(ctx, s.limit, fmt.Errorf("not done after %s", s.limit))
	defer cancel()
	began := time.Now()
	bars, err := s.measure(ctx, o)
	took := time.Since(began).Seconds()
	if err != nil {
		say("%s: %v", s.name, err)
		took = math.NaN()
	}
	bars = append(bars, bench.Observed("whole scenario", took, "s"))
	for i := range bars {
		bars[i].Bar = s.name + ": " + bars[i].Bar
	}
	return bars
}

// inLab opens a cluster for a measurement of the platform and closes it whatever
// happens. The cause of what went wrong in the background is what is returned.
func inLab(ctx context.Context, o *options, nodes int, measure func(context.Context, *lab.Lab) ([]bench.Bar, error)) ([]bench.Bar, error) {
	return inLabOf(ctx, o, nodes, "the platform", nil, measure)
}

// inUpstreamLab does the same for upstream's scheduler.
func inUpstreamLab(ctx context.Context, o *options, nodes int, measure func(context.Context, *lab.Lab) ([]bench.Bar, error)) ([]bench.Bar, error) {
	return inLabOf(ctx, o, nodes, "upstream's scheduler", lab.UpstreamFlags(), measure)
}

func inLabOf(ctx context.Context, o *options, nodes int, who string, flags []string,
	measure func(context.Context, *lab.Lab) ([]bench.Bar, error)) ([]bench.Bar, error) {
	began := time.Now()
	ctx, l, err := lab.Open(ctx, o.programs, nodes, flags...)
	if err != nil {
		return nil, err
	}
	say("%d nodes after %.1f s", nodes, time.Since(began).Seconds())
	bars, err := measure(ctx, l)
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		err = errors.Join(cause, err)
	}
	err = errors.Join(err, l.KillPlatform())
	if usage := l.Usage(); usage.Processor > 0 {
		bars = append(bars,
			bench.Observed("peak memory of "+who, nonZero(usage.PeakMB), "MB"),
			bench.Observed("processor time of "+who, usage.Processor.Seconds(), "s"))
	}
	return bars, errors.Join(err, l.Close())
}

// nonZero is NaN for what was never measured.
func nonZero(value float64) float64 {
	if value == 0 {
		return math.NaN()
	}
	return value
}

// writesBar is how often the API server was written to for each pod, by everybody:
// platform, kubelets and lab. What was written is said beside.
func writesBar(words string, w lab.Writes, pods int) bench.Bar {
	say("%s: %s", words, w.Per(pods))
	return bench.Observed(words, float64(w.Total())/float64(pods), "")
}
