// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ready is what a process of an embedded cluster and its supervisor
// agree on: two inherited descriptors.
//
// On the first the process writes one line when it serves, so that nothing is
// polled and a process that ends early is noticed by the closed pipe. The
// second is a lock that lives as long as the process does: a successor is not
// started while it is held, even by a process whose supervisor was killed.
package ready

import (
	"fmt"
	"os"
	"syscall"
)

// Descriptors that a supervised process inherits, and the variable that says so.
const (
	EnvSupervised = "SLIPWAY_SUPERVISED"
	notifyFD      = 3
	lockFD        = 4
)

// Inherit must be called first in a supervised process: it keeps the
// descriptors from the processes that this one starts.
func Inherit() {
	if os.Getenv(EnvSupervised) == "" {
		return
	}
	syscall.CloseOnExec(notifyFD)
	syscall.CloseOnExec(lockFD)
}

// Notify tells the supervisor that the process serves. Without a supervisor it
// does nothing. It must be called at most once.
func Notify() error {
	if os.Getenv(EnvSupervised) == "" {
		return nil
	}
	pipe := os.NewFile(notifyFD, "ready")
	defer pipe.Close()
	if _, err := pipe.WriteString("ready\n"); err != nil {
		return fmt.Errorf("telling the supervisor: %w", err)
	}
	return nil
}
