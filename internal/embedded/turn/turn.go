// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package turn has processes of a machine do one after the other what fails when
// two of them do it at the same time.
//
// Kubelets are such: their directory of device plugins has one name on every
// machine. Each that starts removes the sockets in there and then listens on one of
// its own; it ends itself when another one's is there by then.
package turn

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// interval between two looks at what cannot be watched.
const interval = 10 * time.Millisecond

// Take returns when no other process has its turn by that lock, a file. The turn
// lasts until it is closed, and no longer than the process.
func Take(ctx context.Context, lock string) (io.Closer, error) {
	f, err := os.OpenFile(lock, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	if !await(ctx, func() bool { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil }) {
		_ = f.Close()
		return nil, fmt.Errorf("waiting for the turn by %s: %w", lock, context.Cause(ctx))
	}
	return f, nil
}

// AwaitListener returns when there is a listener on the unix socket in the network
// namespace of this process, or ctx ends.
func AwaitListener(ctx context.Context, socket string) {
	await(ctx, func() bool { return isListening(socket) })
}

// await says whether a condition came to hold before ctx ended.
func await(ctx context.Context, holds func() bool) bool {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// accepting is the flag of a socket that listens, SO_ACCEPTCON of proc_net_unix.
const accepting = "00010000"

func isListening(socket string) bool {
	content, err := os.ReadFile("/proc/self/net/unix")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(content)) {
		// Num RefCount Protocol Flags Type St Inode Path
		if f := strings.Fields(line); len(f) == 8 && f[3] == accepting && f[7] == socket {
			return true
		}
	}
	return false
}
