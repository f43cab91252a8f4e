// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"slipway.dev/slipway/internal/embedded/journal"
)

// shared are directories that components make at places which cannot be chosen,
// with what they leave there. One that is there already may lack those below it.
var shared = []struct {
	dir    string
	leaves []string // patterns, what is inside before what it is in
}{
	{"/var/lib/kubelet", []string{"device-plugins/*", "device-plugins", "pod-resources/*", "pod-resources"}},
	{"/var/lib/cni", nil},
	{"/var/lib/cni/results", []string{"slipway-*", "cni-loopback-*"}},
	{"/run/containerd", []string{"runc/k8s.io", "runc", "fifo", "s"}},
	{netnsDir, nil},
}

// recordShared writes the shared directories that are not there yet to the
// journal.
func recordShared(j *journal.Journal) error {
	for _, s := range shared {
		if _, err := os.Stat(s.dir); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := j.Record(journal.Entry{Kind: journal.Dir, Name: s.dir}); err != nil {
			return err
		}
	}
	return nil
}

// removeShared removes what the components left in a directory and, if nothing
// else is in it, the directory: others may have come to use it.
func removeShared(dir string) error {
	for _, s := range shared {
		if s.dir != dir {
			continue
		}
		for _, pattern := range s.leaves {
			left, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				return err
			}
			for _, path := range left {
				if err := removeAlone(path); err != nil {
					return err
				}
			}
		}
	}
	return removeAlone(dir)
}

// removeAlone removes a file, or a directory in which nothing is left.
func removeAlone(path string) error {
	err := os.Remove(path)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EBUSY) {
		return nil
	}
	return fmt.Errorf("removing %s: %w", path, err)
}
