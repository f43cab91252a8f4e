// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package supervise

import (
	"context"
	"errors"
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

// TestProcessIsRestarted however often it ends, once it has served.
func TestProcessIsRestarted(t *testing.T) {
	p := NewProcess(shell(t, serve))
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	for kill := range firstTries {
		before := p.State()
		if !before.Ready || before.PID == 0 {
			t.Fatalf("state before kill %d is %+v, want ready with a PID", kill, before)
		}
		if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the process is ready again", func() bool {
			now := p.State()
			return now.Ready && now.PID != before.PID && now.Restarts == kill+1
		})
	}
	if got := p.State().LastExit; !strings.Contains(got, "killed") {
		t.Errorf("LastExit = %q, want it to say killed", got)
	}
}

// TestProcessThatNeverServes is tried a few times; the error says where its log
// is, and what in there is the reason.
func TestProcessThatNeverServes(t *testing.T) {
	spec := shell(t, `echo "I1126 19:00:00.000000 1 kubelet.go:1] Starting"
echo "E1126 19:00:00.000000 1 kubelet.go:2] Failed to start" && exit 3`)
	if err := os.WriteFile(spec.Log, []byte("E1126 18:00:00.000000 1 kubelet.go:2] An earlier run\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := NewProcess(spec)
	err := p.Start(t.Context())
	want := "it ended: exit status 3 (tried 3 times); its log is " + spec.Log + `
  E1126 19:00:00.000000 1 kubelet.go:2] Failed to start`
	if err == nil || err.Error() != want {
		t.Errorf("Start = %v\nwant %s", err, want)
	}
	log, _ := os.ReadFile(spec.Log)
	if tries := strings.Count(string(log), "Starting"); tries != firstTries || p.State().Restarts != firstTries {
		t.Errorf("was started %d times, %+v; want %d", tries, p.State(), firstTries)
	}
	eventually(t, "it is given up", func() bool {
		select {
		case <-p.ended:
			return true
		default:
			return false
		}
	})
}

// TestProcessThatServesLater than the first time is none that failed.
func TestProcessThatServesLater(t *testing.T) {
	flag := filepath.Join(t.TempDir(), "lost the race")
	p := NewProcess(shell(t, "test -e '"+flag+"' || { touch '"+flag+"'; exit 1; }; "+serve))
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	if got := p.State(); !got.Ready || got.Restarts != 1 || !strings.Contains(got.LastExit, "exit status 1") {
		t.Errorf("state after Start is %+v, want ready after one restart, with the reason", got)
	}
}

// TestProcessThatTakesTooLong: what it wrote says what it waits for.
func TestProcessThatTakesTooLong(t *testing.T) {
	spec := shell(t, "echo waiting for godot; exec tail -f /dev/null")
	late := errors.New("it took longer than 3m0s")
	ctx, cancel := context.WithCancelCause(t.Context())
	p := NewProcess(spec)
	defer p.Stop()
	started := make(chan error, 1)
	go func() { started <- p.Start(ctx) }()
	eventually(t, "the process writes", func() bool { return said(spec.Log, 0) != "" })
	cancel(late)
	want := "it took longer than 3m0s; its log is " + spec.Log + "\n  waiting for godot"
	if err := <-started; !errors.Is(err, late) || err.Error() != want {
		t.Errorf("Start = %v\nwant %s", err, want)
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
