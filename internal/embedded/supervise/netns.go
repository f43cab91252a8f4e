// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package supervise

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// InNetns returns a Start function for Spec that starts the command inside the
// network namespace kept at path. A child inherits the namespace of the thread
// that forks it, so that one thread goes there and comes back.
func InNetns(path string) func(cmd *exec.Cmd) error {
	return func(cmd *exec.Cmd) (err error) {
		runtime.LockOSThread()
		home, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			runtime.UnlockOSThread()
			return fmt.Errorf("opening the present network namespace: %w", err)
		}
		defer unix.Close(home)
		defer func() {
			back := unix.Setns(home, unix.CLONE_NEWNET)
			err = errors.Join(err, back)
			if back == nil {
				runtime.UnlockOSThread()
			}
		}()
		there, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("opening network namespace %s: %w", path, err)
		}
		defer unix.Close(there)
		if err := unix.Setns(there, unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("entering network namespace %s: %w", path, err)
		}
		return cmd.Start()
	}
}
