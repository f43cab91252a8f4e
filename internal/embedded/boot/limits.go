// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// openFiles is the soft limit that containers inherit; servers of models and
// data need far more than the customary 1024.
const openFiles = 65536

// RaiseFileLimit sets the soft limit on open files, as far as the hard limit
// allows. It is set even if it seems to be higher: Go's runtime raises it for
// itself and gives children the old one back, unless the program sets its own.
func RaiseFileLimit() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("reading the limit on open files: %w", err)
	}
	limit.Cur = min(openFiles, limit.Max)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("raising the limit on open files: %w", err)
	}
	return nil
}
