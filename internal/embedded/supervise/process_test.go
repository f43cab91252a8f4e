// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package supervise

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shell describes a process that runs a shell script. Descriptor 3 is the one
// on which it says that it serves.
func shell(t *testing.T, script string) Spec {
	t.Helper()
	dir := t.TempDir()
	return Spec{Name: "shell", Path: "/bin/sh", Args: []string{"-c", script},
		Log: filepath.Join(dir, "log"), Lock: filepath.Join(dir, "lock")}
}

const serve = "echo ready >&3; exec 3>&-; exec tail -f /dev/null"

// eventually waits until a condition holds: processes have nothing to watch.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		}
	}
}

func TestProcessIsRestarted(t *testing.T) {
	p := NewProcess(shell(t, serve))
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	before := p.State()
	if !before.Ready || before.PID == 0 {
		t.Fatalf("state after Start is %+v, want ready with a PID", before)
	}
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process is ready again", func() bool {
		now := p.State()
		return now.Ready && now.PID != before.PID && now.Restarts == 1
	})
	if got := p.State().LastExit; !strings.Contains(got, "killed") {
		t.Errorf("LastExit = %q, want it to say killed", got)
	}
}

func TestProcessThatNeverServes(t *testing.T) {
	spec := shell(t, "echo no memory; exit 3")
	err := NewProcess(spec).Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), spec.Log) {
		t.Errorf("Start = %v, want the exit status and the log's path", err)
	}
	if log, _ := os.ReadFile(spec.Log); string(log) != "no memory\n" {
		t.Errorf("log = %q", log)
	}
}

func TestStopEndsTheProcess(t *testing.T) {
	p := NewProcess(shell(t, serve))
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	pid := p.State().PID
	p.Stop()
	if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
		t.Errorf("process %d is still there: %v", pid, err)
	}
}

// TestSuccessorWaits holds that a second process of the same lock does not
// start while the first lives, as after the death of its supervisor.
func TestSuccessorWaits(t *testing.T) {
	spec := shell(t, serve)
	first := NewProcess(spec)
	if err := first.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := NewProcess(spec)
	started := make(chan error, 1)
	go func() { started <- second.Start(t.Context()) }()
	defer second.Stop()
	select {
	case err := <-started:
		t.Fatalf("the second started beside the first: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	first.Stop()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
}
