// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"slipway.dev/slipway/internal/embedded/control"
	"slipway.dev/slipway/test/bench/rig"
)

// A cluster is idle when its processes used little of the processor in several
// windows of time on end. One that never is, is measured all the same.
const (
	window      = 5 * time.Second
	quietCores  = 0.15
	quietOnEnd  = 3
	settleLimit = time.Minute
)

// ticksPerSecond is USER_HZ, the unit of times in /proc (proc(5)); it is 100 on
// every architecture that Go and Kubernetes run on.
const ticksPerSecond = 100

// calm says how idle the cluster was when it was measured, and when that was.
type calm struct {
	cores float64
	after time.Duration
}

// settle returns when the cluster is idle or the limit is over. Use of the
// processor is a difference over time, which is why it looks at intervals.
func settle(ctx context.Context, c *rig.Cluster) (calm, error) {
	ticker := time.NewTicker(window)
	defer ticker.Stop()
	began := time.Now()
	used, err := processorTime(ctx, c)
	if err != nil {
		return calm{}, err
	}
	for quiet := 0; ; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return calm{}, context.Cause(ctx)
		}
		now, err := processorTime(ctx, c)
		if err != nil {
			return calm{}, err
		}
		state := calm{(now - used).Seconds() / window.Seconds(), time.Since(began)}
		if used = now; state.cores <= quietCores {
			quiet++
		} else {
			quiet = 0
		}
		if quiet == quietOnEnd || state.after >= settleLimit {
			return state, nil
		}
	}
}

// processorTime is what the supervised processes have used since they started.
func processorTime(ctx context.Context, c *rig.Cluster) (time.Duration, error) {
	status, err := c.Status(ctx)
	if err != nil {
		return 0, err
	}
	var ticks int64
	for _, p := range status.Processes {
		more, err := ticksOf(p)
		if err != nil {
			return 0, err
		}
		ticks += more
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

func ticksOf(p control.Process) (int64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID))
	if err == nil {
		var ticks int64
		if ticks, err = parseTicks(string(stat)); err == nil {
			return ticks, nil
		}
	}
	return 0, fmt.Errorf("reading the processor time of %s: %w", p.Name, err)
}

// parseTicks adds utime and stime, fields 14 and 15 of a line of proc_pid_stat(5).
// The second field, a name in parentheses, may hold anything, also parentheses.
func parseTicks(stat string) (int64, error) {
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("%q has too few fields", stat)
	}
	user, uerr := strconv.ParseInt(fields[11], 10, 64)
	system, serr := strconv.ParseInt(fields[12], 10, 64)
	return user + system, errors.Join(uerr, serr)
}
