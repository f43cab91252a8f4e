// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Command guard runs a command and runs it again when it was killed. It stands
// above the supervisor of a detached cluster, which stands above everything
// else, and is so small that nothing is likely to kill it. A command that ends
// by itself, well or not, is not run again: it had its reason.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// pause keeps a command that is killed at once, each time, from spinning.
const pause = 500 * time.Millisecond

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: guard COMMAND [ARGUMENT...]")
		os.Exit(2)
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	for {
		asked, err := run(signals)
		var ended *exec.ExitError
		if asked || !errors.As(err, &ended) || !killed(ended) {
			os.Exit(code(err))
		}
		fmt.Fprintf(os.Stderr, "%s was ended by a signal (%s); starting it again\n", os.Args[1], ended)
		select {
		case <-time.After(pause):
		case <-signals:
			os.Exit(code(err))
		}
	}
}

// run runs the command once and passes signals on to it; asked says that there
// were any, so that the command's end is meant.
func run(signals <-chan os.Signal) (asked bool, err error) {
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return false, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			asked = true
			_ = cmd.Process.Signal(s)
		case err := <-ended:
			return asked, err
		}
	}
}

func killed(ended *exec.ExitError) bool {
	status, ok := ended.Sys().(syscall.WaitStatus)
	return ok && status.Signaled()
}

func code(err error) int {
	var ended *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ended):
		return ended.ExitCode()
	}
	fmt.Fprintln(os.Stderr, "guard:", err)
	return 1
}
