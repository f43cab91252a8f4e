// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"slipway.dev/slipway/internal/embedded/journal"
)

// cgroupMount is where control groups are, in any version.
const cgroupMount = "/sys/fs/cgroup"

// hierarchies are the roots of the control group trees: the mount itself with
// version 2, one for each controller with version 1.
func hierarchies() []string {
	if _, err := os.Stat(filepath.Join(cgroupMount, "cgroup.controllers")); err == nil {
		return []string{cgroupMount}
	}
	entries, err := os.ReadDir(cgroupMount)
	if err != nil {
		return nil
	}
	var roots []string
	for _, entry := range entries {
		// Aliases such as cpu,cpuacct are symbolic links to one hierarchy.
		if entry.IsDir() {
			roots = append(roots, filepath.Join(cgroupMount, entry.Name()))
		}
	}
	return roots
}

// makeCgroup makes the parent of a node's pods in every hierarchy. With cpuset
// of version 1 a new group has no processors or memory nodes until it is given
// its parent's.
func makeCgroup(path string, j *journal.Journal) error {
	if err := j.Record(journal.Entry{Kind: journal.Cgroup, Name: filepath.Dir(path)}); err != nil {
		return err
	}
	for _, root := range hierarchies() {
		for _, dir := range []string{filepath.Dir(path), path} {
			if err := os.Mkdir(root+dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("making control group %s: %w", root+dir, err)
			}
			if err := fillCgroup(root + dir); err != nil {
				return fmt.Errorf("filling control group %s: %w", root+dir, err)
			}
		}
	}
	return nil
}

func fillCgroup(dir string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		parent, err := os.ReadFile(filepath.Join(filepath.Dir(dir), file))
		if errors.Is(err, fs.ErrNotExist) || strings.TrimSpace(string(parent)) == "" {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, file), parent, 0o644); err != nil {
			return err
		}
	}
	controllers, err := os.ReadFile(filepath.Join(filepath.Dir(dir), "cgroup.controllers"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // version 1 has no such file
	}
	if err != nil {
		return err
	}
	for _, c := range strings.Fields(string(controllers)) {
		// What cannot be delegated and is needed the kubelet names when it starts.
		_ = os.WriteFile(filepath.Join(filepath.Dir(dir), "cgroup.subtree_control"), []byte("+"+c), 0o644)
	}
	return nil
}

// cgroupProcesses lists the processes in a group and below it.
func cgroupProcesses(path string) []int {
	seen := map[int]bool{}
	for _, root := range hierarchies() {
		_ = filepath.WalkDir(root+path, func(file string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Name() == "cgroup.procs" {
				content, _ := os.ReadFile(file)
				for _, field := range strings.Fields(string(content)) {
					if pid, err := strconv.Atoi(field); err == nil {
						seen[pid] = true
					}
				}
			}
			return nil
		})
	}
	var pids []int
	for pid := range seen {
		pids = append(pids, pid)
	}
	slices.Sort(pids)
	return pids
}

// removeCgroup removes a group with the groups below it, the deepest first.
func removeCgroup(path string) error {
	var errs []error
	for _, root := range hierarchies() {
		var dirs []string
		_ = filepath.WalkDir(root+path, func(dir string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				dirs = append(dirs, dir)
			}
			return nil
		})
		for _, dir := range slices.Backward(dirs) {
			if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
				errs = append(errs, fmt.Errorf("removing control group %s: %w", dir, err))
			}
		}
	}
	return errors.Join(errs...)
}
