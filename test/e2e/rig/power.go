// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// PowerFailure kills everything of the cluster at once, as when the machine
// loses power: the guard, the supervisor, its processes, shims and containers.
func (c *Cluster) PowerFailure(t *testing.T) {
	t.Helper()
	description, err := cluster.Load(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range append(c.processes(t), inCgroup(t, "/slipway-"+description.ID)...) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
	Eventually(t, "everything is dead", func(context.Context) error {
		if left := append(c.processes(t), inCgroup(t, "/slipway-"+description.ID)...); len(left) > 0 {
			return fmt.Errorf("processes %v are alive", left)
		}
		return nil
	})
}

// processes of the cluster's own programs, guards first: a guard would start
// its supervisor again.
func (c *Cluster) processes(t *testing.T) []int {
	t.Helper()
	var guards, others []int
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		program, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(program, filepath.Dir(c.Program())+"/") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(program) == "guard" {
			guards = append(guards, pid)
		} else {
			others = append(others, pid)
		}
	}
	return append(guards, others...)
}

// inCgroup lists the processes in a control group and below it, in any hierarchy.
func inCgroup(t *testing.T, group string) (pids []int) {
	t.Helper()
	for _, pattern := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/*"} {
		roots, _ := filepath.Glob(pattern + group)
		for _, root := range roots {
			_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
				if err == nil && entry.Name() == "cgroup.procs" {
					content, _ := os.ReadFile(path)
					for field := range strings.FieldsSeq(string(content)) {
						if pid, err := strconv.Atoi(field); err == nil {
							pids = append(pids, pid)
						}
					}
				}
				return nil
			})
		}
	}
	return pids
}
