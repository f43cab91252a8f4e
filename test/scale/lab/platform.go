// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Usage is what the platform's processes of a lab needed.
type Usage struct {
	// PeakMB is the largest resident set, in megabytes (10⁶ bytes).
	PeakMB float64
	// Processor is their user and system time.
	Processor time.Duration
}

// platform is the process of "slipway platform".
type platform struct {
	cmd   *exec.Cmd
	log   *os.File
	ended chan struct{}
	ready chan error
	// stopping says that somebody wanted it to end.
	stopping chan struct{}
}

// StartPlatform starts the platform and returns when the process is there; it
// serves later, see AwaitPlatform.
func (l *Lab) StartPlatform() error {
	log, err := os.Create(filepath.Join(l.dir, "platform.log"))
	if err != nil {
		return err
	}
	pipe, notify, err := os.Pipe()
	if err != nil {
		return err
	}
	defer notify.Close()
	cmd := exec.Command(filepath.Join(l.programs, "slipway"), "platform",
		"--kubeconfig", l.server.KubeconfigOf("platform"), "--listen", "127.0.0.1:0", "--health-listen", "127.0.0.1:0")
	// As a supervisor would start it: internal/ready says what is inherited.
	cmd.Env = append(os.Environ(), "SLIPWAY_SUPERVISED=1")
	cmd.ExtraFiles = []*os.File{notify, log}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return errors.Join(fmt.Errorf("starting the platform: %w", err), pipe.Close())
	}
	p := &platform{cmd: cmd, log: log, ended: make(chan struct{}), ready: make(chan error, 1), stopping: make(chan struct{})}
	l.platform = p
	go func() {
		defer pipe.Close()
		_, err := bufio.NewReader(pipe).ReadString('\n')
		p.ready <- err
	}()
	go l.attend(p)
	return nil
}

// attend the end of the platform. One that ends by itself ends the scenario.
func (l *Lab) attend(p *platform) {
	err := p.cmd.Wait()
	close(p.ended)
	select {
	case <-p.stopping:
	default:
		l.fail(fmt.Errorf("the platform ended by itself: %w: %s", err, tail(p.log.Name())))
	}
}

// AwaitPlatform returns when the platform has seen everything that there is.
func (l *Lab) AwaitPlatform(ctx context.Context) error {
	select {
	case err := <-l.platform.ready:
		l.platform.ready <- err
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// KillPlatform ends the platform as a power cut would. Without one it does nothing.
func (l *Lab) KillPlatform() error {
	p := l.platform
	if p == nil {
		return nil
	}
	l.platform = nil
	close(p.stopping)
	l.usage.PeakMB = max(l.usage.PeakMB, peakMB(p.cmd.Process.Pid))
	err := p.cmd.Process.Kill()
	<-p.ended
	state := p.cmd.ProcessState
	l.usage.Processor += state.UserTime() + state.SystemTime()
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	return errors.Join(err, p.log.Close())
}

// Usage of all platforms that were killed.
func (l *Lab) Usage() Usage { return l.usage }

// peakMB is VmHWM of proc_pid_status(5); zero for a process that has ended.
func peakMB(pid int) float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if value, is := strings.CutPrefix(line, "VmHWM:"); is {
			kibibytes, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
			return kibibytes * 1024 / 1e6
		}
	}
	return 0
}

// tail is the last lines of a log, for an error of one line.
func tail(file string) string {
	text, _ := os.ReadFile(file)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], "; ")
}
