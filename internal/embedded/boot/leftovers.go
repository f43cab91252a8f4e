// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// shims lists the containerd shims whose containerd keeps its state below dir:
// they are started with that containerd's address.
func shims(dir string) []int {
	var pids []int
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		args := strings.Split(string(content), "\x00")
		isShim := filepath.Base(args[0]) == "containerd-shim-runc-v2"
		mine := func(arg string) bool { return strings.HasPrefix(arg, dir+"/") }
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil && isShim && slices.ContainsFunc(args, mine) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// unmountBelow unmounts everything at or below dir, the deepest first.
func unmountBelow(dir string) error {
	content, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("listing mounts: %w", err)
	}
	var points []string
	for line := range strings.Lines(string(content)) {
		// proc(5): the fifth field is the mount point, with octal escapes.
		if fields := strings.Fields(line); len(fields) > 4 {
			point := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(fields[4])
			if point == dir || strings.HasPrefix(point, dir+"/") {
				points = append(points, point)
			}
		}
	}
	var errs []error
	for _, point := range slices.Backward(points) {
		if err := unix.Unmount(point, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
			errs = append(errs, fmt.Errorf("unmounting %s: %w", point, err))
		}
	}
	return errors.Join(errs...)
}
