// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/simulate"
)

// Program is what a process is given.
type Program struct {
	// Args begin with the name of the program, as os.Args.
	Args           []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Cache is where the embedded Kubernetes is unpacked; empty is the usual place.
	Cache string
	// Platform runs the controllers, the scheduler and the front door until the
	// context ends.
	Platform func(context.Context, PlatformOptions) error
}

// Exit codes.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// app is the program with what was said about the cluster.
type app struct {
	Program
	cluster connect.Flags
}

// Main runs the command line until it is done or the context ends, and returns
// the exit code.
func Main(ctx context.Context, p Program) int {
	ctx, done := context.WithCancel(ctx) // ends what a command has left watching
	defer done()
	a := &app{Program: p}
	root := a.root()
	root.SetArgs(p.Args[1:])
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, simulate.ErrInterrupted):
		fmt.Fprintln(p.Stderr, "slipway: "+err.Error())
		return exitInterrupted
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &usage):
		fmt.Fprintln(p.Stderr, "slipway: "+oneLine(err.Error()))
		return exitUsage
	}
	fmt.Fprintln(p.Stderr, "slipway: "+oneLine(connect.Explain(err).Error()))
	return exitFailure
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
