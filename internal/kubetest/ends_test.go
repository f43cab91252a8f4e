// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package kubetest

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestServerRemovesItsData however often it is told to end: the kernel does so once for each thread of
// a test's process that dies.
func TestServerRemovesItsData(t *testing.T) {
	program, err := find()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(program, "role", "test-apiserver", "--data-dir", dir, "--")
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := server.StdoutPipe()
	if err == nil {
		err = server.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(errors.Join(err, server.Wait()))
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	tell := time.NewTicker(time.Millisecond)
	defer tell.Stop()
	for running := true; running; {
		select {
		case <-tell.C:
			_ = server.Process.Signal(syscall.SIGTERM)
		case err := <-ended:
			if running = false; err != nil {
				t.Errorf("it ended: %v", err)
			}
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its data are still there: %v", err)
	}
}
