// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
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

// Usage is what the processes needed that a lab measures.
type Usage struct {
	// PeakMB is the largest resident set, in megabytes (10⁶ bytes).
	PeakMB float64
	// Processor is their user and system time.
	Processor time.Duration
}

// process is what a lab measures: the platform, or another scheduler in its stead.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   *os.File
	ended chan struct{}
	// stopping says that somebody wanted it to end.
	stopping chan struct{}
}

// start a process and return when it is there. There is one at a time.
func (l *Lab) start(name string, cmd *exec.Cmd) error {
	log, err := os.Create(filepath.Join(l.dir, "process.log"))
	if err != nil {
		return err
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, log)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return errors.Join(fmt.Errorf("starting %s: %w", name, err), log.Close())
	}
	p := &process{name: name, cmd: cmd, log: log, ended: make(chan struct{}), stopping: make(chan struct{})}
	l.running = p
	go l.attend(p)
	return nil
}

// attend the end of the process. One that ends by itself ends the scenario.
func (l *Lab) attend(p *process) {
	err := p.cmd.Wait()
	close(p.ended)
	select {
	case <-p.stopping:
	default:
		l.fail(fmt.Errorf("%s ended by itself: %w: %s", p.name, err, tail(p.log.Name())))
	}
}

// KillPlatform ends the platform, or the scheduler in its stead, as a power cut
// would. Without one it does nothing.
func (l *Lab) KillPlatform() error {
	p := l.running
	if p == nil {
		return nil
	}
	l.running = nil
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

// Usage of all processes that were killed.
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
