// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Command kill measures how a cluster repairs itself: each of its processes is
// killed with SIGKILL in turn, under a running pod that is served by a Service.
//
// A process is repaired when, all at the same moment, the supervisor says that
// everything is ready, the API server takes a write, the node is Ready, the
// Service and the front door answer. Killing the supervisor ends every process
// but the containers; its guard starts it again. No container may be restarted
// by any of this.
package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"syscall"
	"time"

	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/internal/embedded/control"
	"slipway.dev/slipway/test/bench/rig"
)

const (
	// limit in seconds.
	limit = 10
	// giveUp is when a process counts as not repaired at all.
	giveUp = time.Minute
)

func main() {
	if slices.Equal(os.Args[1:], []string{serveArg}) {
		os.Exit(serve())
	}
	os.Exit(rig.Main("kill", measure))
}

func measure(ctx context.Context, programs string) (bars []bench.Bar, err error) {
	self, err := staticSelf()
	if err != nil {
		return nil, err
	}
	c, err := rig.Boot(ctx, programs)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Remove()) }()
	v, err := victimOf(ctx, c, self)
	if err != nil {
		return nil, err
	}
	status, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	// The supervisor is the first in the list and the last to be killed.
	for _, p := range slices.Backward(status.Processes) {
		bar, err := v.kill(ctx, p)
		if err != nil {
			return nil, err
		}
		bars = append(bars, bar...)
	}
	restarted, err := v.restarted(ctx)
	for _, container := range restarted {
		fmt.Fprintln(os.Stderr, "restarted:", container)
	}
	return append(bars, bench.AtMost("containers restarted by all of it", float64(len(restarted)), "", 0)), err
}

// kill kills a process and returns how long the repair took and, since a
// process may be there and do nothing, how long a new pod takes then.
func (v *victim) kill(ctx context.Context, p control.Process) ([]bench.Bar, error) {
	began := time.Now()
	if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil {
		return nil, fmt.Errorf("killing %s: %w", p.Name, err)
	}
	took, pod := math.NaN(), math.NaN()
	err := v.repaired(ctx, p)
	if err == nil {
		took = time.Since(began).Seconds()
		_, pod, err = v.namespace.Run(ctx, "after-"+fmt.Sprint(p.PID), 1)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", p.Name, err)
	} else {
		fmt.Fprintf(os.Stderr, "%s: everything works again after %.2f s\n", p.Name, took)
	}
	return []bench.Bar{
		bench.AtMost(p.Name+" killed, everything works again", took, "s", limit),
		bench.Observed(p.Name+" killed, then a new pod Running", pod, "s"),
	}, nil
}

// repaired returns when everything works and the process is another one.
func (v *victim) repaired(ctx context.Context, before control.Process) error {
	ctx, cancel := context.WithTimeoutCause(ctx, giveUp, fmt.Errorf("not repaired after %s", giveUp))
	defer cancel()
	return rig.Until(ctx, func(ctx context.Context) error {
		status, err := v.cluster.Status(ctx)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(status.Processes, func(p control.Process) bool { return p.Name == before.Name })
		if at < 0 || status.Processes[at].PID == before.PID || !status.Ready {
			return errors.New("the supervisor does not say ready")
		}
		return v.works(ctx)
	})
}
