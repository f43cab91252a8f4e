// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/internal/heap"
)

func main() { os.Exit(run()) }

// run ends the scenario, and removes its clusters, at the first Ctrl-C, and the
// program at the second.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop)
	heap.Adapt() // The generator of load shares the machine with what is measured.
	// What matters is returned; the rest is requests cut off when a lab is closed.
	log.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	if err := measure(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "bench-scale: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
		return 1
	}
	return 0
}

func measure(ctx context.Context, args []string) error {
	o, err := parse(args, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	bars := []bench.Bar{bench.Observed("load average of the machine before", bench.LoadAverage(), "")}
	for _, s := range scenarios {
		if o.only != "" && o.only != s.name {
			continue
		}
		bars = append(bars, s.run(ctx, o)...)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return bench.Write(o.file(), bars)
}

// file of the results: a part of them never replaces the whole.
func (o *options) file() string {
	if o.only != "" {
		return "scale-" + o.only
	}
	return "scale"
}

// check refuses what would fail later and less clearly.
func (o *options) check() error {
	for _, name := range []string{"slipway", "slipway-kube"} {
		if _, err := os.Stat(filepath.Join(o.programs, name)); err != nil {
			return fmt.Errorf("%s is missing; run \"make build\", and this from the folder that it was run in", filepath.Join(o.programs, name))
		}
	}
	var names []string
	for _, s := range scenarios {
		if s.name == o.only {
			return nil
		}
		names = append(names, s.name)
	}
	if o.only != "" {
		return fmt.Errorf("there is no scenario %q; -only takes one of %s", o.only, strings.Join(names, ", "))
	}
	return nil
}

// say what a scenario does at the moment.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
