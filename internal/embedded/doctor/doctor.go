// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package doctor says whether a machine can carry an embedded cluster, and what
// to do when it cannot.
//
// It tries what the cluster will do (make a veth pair and an overlay mount, list
// nftables) rather than look for kernel modules: on many kernels these are built
// in and no module is ever listed.
package doctor

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Finding is the result of one check.
type Finding struct {
	Check string `json:"check"`
	// Detail is what was found, or what is wrong.
	Detail string `json:"detail"`
	// Fix is what to do; empty when nothing is wrong.
	Fix string `json:"fix,omitempty"`
	// Fatal findings keep the cluster from starting; others are limits to know.
	Fatal bool `json:"fatal,omitempty"`
}

// OK says whether nothing is wrong.
func (f Finding) OK() bool { return f.Fix == "" }

// Examine checks the machine for a cluster whose data are in dataDir.
func Examine(dataDir string) []Finding {
	findings := []Finding{root()}
	if findings[0].Fatal {
		return findings
	}
	findings = append(findings, tools()...)
	return append(findings, kernel(), cgroups(), capability(), overlay(dataDir), links(), disk(dataDir), memory(), forwardPolicy())
}

// FirstFatal returns the first finding that forbids starting, as an error.
func FirstFatal(findings []Finding) error {
	for _, f := range findings {
		if f.Fatal {
			return fmt.Errorf("%s: %s; %s", f.Check, f.Detail, f.Fix)
		}
	}
	return nil
}

func root() Finding {
	f := Finding{Check: "user", Detail: "root"}
	if os.Geteuid() != 0 {
		f.Detail = fmt.Sprintf("user %d may not make network links, mounts and control groups", os.Geteuid())
		f.Fix, f.Fatal = "run it as root: sudo "+strings.Join(os.Args, " "), true
	}
	return f
}

// required are the programs of the host that the components call, and the
// Debian package of each. mount and umount are in every distribution.
var required = []struct{ program, pkg, why string }{
	{"nft", "nftables", "services and network policies are nftables rules"},
	{"mount", "mount", "the kubelet mounts volumes with it"},
	{"umount", "mount", "the kubelet unmounts volumes with it"},
}

func tools() []Finding {
	var findings []Finding
	for _, r := range required {
		path, err := exec.LookPath(r.program)
		f := Finding{Check: "program " + r.program, Detail: path}
		if err != nil {
			f.Detail, f.Fix, f.Fatal = "not found; "+r.why, "install it: "+InstallCommand(r.pkg), true
		}
		findings = append(findings, f)
	}
	return findings
}

// InstallCommand is the command that installs a package on this distribution.
func InstallCommand(pkg string) string {
	for _, m := range []struct{ program, command string }{
		{"apt-get", "apt-get install -y "}, {"dnf", "dnf install -y "}, {"zypper", "zypper install -y "},
		{"pacman", "pacman -S --noconfirm "}, {"apk", "apk add "},
	} {
		if _, err := exec.LookPath(m.program); err == nil {
			return m.command + pkg
		}
	}
	return "your distribution's package " + pkg
}

func disk(dataDir string) Finding {
	const least, comfortable = 1 << 30, 5 << 30
	f := Finding{Check: "disk"}
	dir := existing(dataDir)
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		f.Detail, f.Fix = fmt.Sprintf("%s cannot be examined: %v", dir, err), "choose another directory with --data-dir"
		return f
	}
	free := fs.Bavail * uint64(fs.Bsize)
	f.Detail = fmt.Sprintf("%.1f GiB free at %s", float64(free)/(1<<30), dir)
	if free < comfortable {
		f.Fix, f.Fatal = "free some space, or choose another directory with --data-dir", free < least
	}
	return f
}

func memory() Finding {
	var info unix.Sysinfo_t
	f := Finding{Check: "memory"}
	if err := unix.Sysinfo(&info); err != nil {
		f.Detail = "unknown"
		return f
	}
	total := uint64(info.Totalram) * uint64(info.Unit)
	f.Detail = fmt.Sprintf("%.1f GiB, %d cores", float64(total)/(1<<30), runtime.NumCPU())
	if total < 15<<27 {
		f.Fix = "a cluster alone takes 0.7 GiB; use a machine with at least 2 GiB"
	}
	return f
}

// existing is the nearest directory above path that exists.
func existing(path string) string {
	for path != "/" && path != "." {
		if _, err := os.Stat(path); err == nil {
			return path
		}
		path = path[:max(strings.LastIndexByte(path, '/'), 1)]
	}
	return "/"
}
