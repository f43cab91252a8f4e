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
		took, pod, err := v.kill(ctx, p.Name)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		say(p.Name, took, err)
		bars = append(bars,
			bench.AtMost(p.Name+" killed, everything works again", took, "s", limit),
			bench.Observed(p.Name+" killed, then a new pod Running", pod, "s"))
	}
	return append(bars, bench.AtMost("containers restarted by all of it", v.restarts(ctx), "", 0)), nil
}

func say(name string, took float64, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return
	}
	fmt.Fprintf(os.Stderr, "%s: everything works again after %.2f s\n", name, took)
}

// kill kills the process of a name and returns how long the repair took and,
// since a process may be there and do nothing, how long a new pod takes then.
// What fails is NaN, a miss: the others are still worth knowing.
func (v *victim) kill(ctx context.Context, name string) (took, pod float64, err error) {
	before, err := v.process(ctx, name)
	if err != nil {
		return math.NaN(), math.NaN(), err
	}
	began := time.Now()
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		return math.NaN(), math.NaN(), fmt.Errorf("killing it: %w", err)
	}
	if err := v.repaired(ctx, before); err != nil {
		return math.NaN(), math.NaN(), err
	}
	took = time.Since(began).Seconds()
	_, pod, err = v.namespace.Run(ctx, fmt.Sprintf("after-%d", before.PID), 1)
	if err != nil {
		pod = math.NaN()
	}
	return took, pod, err
}

// process is what the supervisor says of a process that runs. It is asked anew
// before each kill, for one may have ended with another.
func (v *victim) process(ctx context.Context, name string) (control.Process, error) {
	status, err := v.cluster.Status(ctx)
	if err != nil {
		return control.Process{}, err
	}
	at := slices.IndexFunc(status.Processes, func(p control.Process) bool { return p.Name == name })
	if at < 0 || status.Processes[at].PID == 0 {
		return control.Process{}, fmt.Errorf("the supervisor runs no %s", name)
	}
	return status.Processes[at], nil
}

// repaired returns when everything works and the process is another one.
func (v *victim) repaired(ctx context.Context, before control.Process) error {
	ctx, cancel := context.WithTimeoutCause(ctx, giveUp, fmt.Errorf("not repaired after %s", giveUp))
	defer cancel()
	return rig.Until(ctx, func(ctx context.Context) error {
		now, err := v.process(ctx, before.Name)
		if err != nil {
			return err
		}
		if now.PID == before.PID {
			return errors.New("the supervisor has not noticed")
		}
		return v.works(ctx)
	})
}
