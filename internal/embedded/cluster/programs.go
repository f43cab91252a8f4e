// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"os"
	"path/filepath"
)

// Programs finds the programs that are shipped beside slipway-kube: those that
// cannot be part of it (runc re-executes a copy of itself, a shim runs for each
// pod and must be small).
type Programs struct{ dir string }

// FindPrograms looks beside the running executable.
func FindPrograms() (Programs, error) {
	self, err := os.Executable()
	if err != nil {
		return Programs{}, fmt.Errorf("finding the running program: %w", err)
	}
	if self, err = filepath.EvalSymlinks(self); err != nil {
		return Programs{}, fmt.Errorf("finding the running program: %w", err)
	}
	p := Programs{dir: filepath.Dir(self)}
	for _, path := range []string{p.Runc(), p.Shim(), p.Pause(), p.Guard(), filepath.Join(p.CNI(), "ptp")} {
		if _, err := os.Stat(path); err != nil {
			return Programs{}, fmt.Errorf("%s is missing beside slipway-kube; build it with \"make build\", or install the release again", path)
		}
	}
	return p, nil
}

// Self is slipway-kube.
func (p Programs) Self() string { return filepath.Join(p.dir, "slipway-kube") }

// Platform is the program that runs controllers, scheduler and front door.
func (p Programs) Platform() string {
	if path := os.Getenv(EnvPlatform); path != "" {
		return path
	}
	return filepath.Join(p.dir, "slipway")
}

// Runc is the low-level container runtime.
func (p Programs) Runc() string { return filepath.Join(p.dir, "libexec", "runc") }

// Shim is containerd's shim.
func (p Programs) Shim() string { return filepath.Join(p.dir, "libexec", "containerd-shim-runc-v2") }

// Pause is the program of a pod's first container.
func (p Programs) Pause() string { return filepath.Join(p.dir, "libexec", "pause") }

// Guard runs the supervisor of a detached cluster.
func (p Programs) Guard() string { return filepath.Join(p.dir, "libexec", "guard") }

// CNI is the directory of network plugins.
func (p Programs) CNI() string { return filepath.Join(p.dir, "libexec", "cni") }
