// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
)

// StartPlatform starts the platform and returns when the process is there; it serves later.
func (l *Lab) StartPlatform() error {
	_, err := l.startPlatform()
	return err
}

// BringUpPlatform starts the platform and returns when it has seen everything that there is.
func (l *Lab) BringUpPlatform(ctx context.Context) error {
	ready, err := l.startPlatform()
	if err != nil {
		return err
	}
	select {
	case err := <-ready:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// startPlatform returns where it is said, once, that the platform serves, or why it does not.
func (l *Lab) startPlatform() (<-chan error, error) {
	cmd := exec.Command(filepath.Join(l.programs, "slipway"), "platform",
		"--kubeconfig", l.server.KubeconfigOf("platform"), "--listen", "127.0.0.1:0", "--health-listen", "127.0.0.1:0")
	pipe, notify, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer notify.Close()
	// As a supervisor would start it: internal/ready says what is inherited.
	cmd.Env = append(os.Environ(), "SLIPWAY_SUPERVISED=1")
	cmd.ExtraFiles = []*os.File{notify}
	if err := l.start("the platform", cmd); err != nil {
		return nil, errors.Join(err, pipe.Close())
	}
	ready := make(chan error, 1)
	go func() {
		defer pipe.Close()
		_, err := bufio.NewReader(pipe).ReadString('\n')
		ready <- err
	}()
	return ready, nil
}
