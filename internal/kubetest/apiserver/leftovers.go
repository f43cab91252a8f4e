// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// pattern of the names of servers' directories.
const pattern = "slipway-apiserver-*"

// claim makes a directory for a server. It is in use while the file that claim returns, which
// is the directory, is open in any process.
func claim() (*os.File, error) {
	for {
		dir, err := os.MkdirTemp("", pattern)
		if err != nil {
			return nil, err
		}
		f, err := os.Open(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue // Somebody swept, who came before the lock.
		}
		if err != nil {
			return nil, fmt.Errorf("opening the server's directory: %w", err)
		}
		if lock(f) && isAt(f, dir) {
			return f, nil
		}
		_ = f.Close()
	}
}

// sweep removes the directories of servers that were killed: others remove theirs. What is not
// one's own to remove stays.
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), pattern))
	for _, dir := range dirs {
		f, err := os.Open(dir)
		if err != nil {
			continue
		}
		if lock(f) {
			_ = os.RemoveAll(dir)
		}
		_ = f.Close()
	}
}

// lock a file until the last process that has it closes it; false when another has it.
func lock(f *os.File) bool { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil }

func isAt(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(open, there)
}
