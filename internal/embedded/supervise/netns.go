// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package supervise

import (
	"fmt"
	"os/exec"

	"golang.org/x/sys/unix"
)

// InNetns returns a Start function for Spec that starts the command inside the
// network namespace kept at path: a child inherits the namespace of the thread
// that forks it.
func InNetns(path string) func(cmd *exec.Cmd) error {
	return func(cmd *exec.Cmd) error {
		there, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("opening network namespace %s: %w", path, err)
		}
		defer func() { _ = unix.Close(there) }()
		if err := unix.Setns(there, unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("entering network namespace %s: %w", path, err)
		}
		return cmd.Start()
	}
}
