// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestSweep: what a killed server leaves is removed by the next one, and nothing else.
func TestSweep(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir := t.TempDir()
	kubeconfig, program := filepath.Join(dir, "kubeconfig"), filepath.Join(dir, "server")
	const access = `{clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}], contexts: [{name: c, context: {cluster: c}}], current-context: c}`
	script := fmt.Sprintf("#!/bin/sh\ntouch \"$4/etcd\"\necho %s\nexec tail -f /dev/null\n", kubeconfig)
	if err := errors.Join(os.WriteFile(kubeconfig, []byte(access), 0o600), os.WriteFile(program, []byte(script), 0o700)); err != nil {
		t.Fatal(err)
	}
	start := func() *Server {
		s, err := Start(program)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(s.dir, "etcd")); err != nil {
			t.Errorf("it has no data there: %v", err)
		}
		return s
	}
	there := func(s *Server) bool {
		_, err := os.Stat(s.dir)
		return !errors.Is(err, fs.ErrNotExist)
	}
	killed, lives := start(), start()
	if err := killed.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.cmd.Wait() //nolint:errcheck // it was killed
	others := filepath.Join(os.TempDir(), "slipway-e2e-1")
	if err := os.Mkdir(others, 0o700); err != nil {
		t.Fatal(err)
	}
	if !there(killed) {
		t.Fatal("a killed server leaves nothing; this test is about the wrong things")
	}
	next := start()
	if there(killed) {
		t.Error("what the killed server left is still there")
	}
	if !there(lives) || !there(next) {
		t.Error("what a server has that lives is gone")
	}
	if _, err := os.Stat(others); err != nil {
		t.Errorf("what is another's is gone: %v", err)
	}
	if err := errors.Join(lives.Stop(), next.Stop()); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), pattern)); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
}
