// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"slipway.dev/slipway/internal/ready"
)

// Timing of restarts. A process that lived longer than settled is restarted at
// once; one that keeps failing waits longer each time.
const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 5 * time.Second
	settled      = 10 * time.Second
	// stopGrace is how long a process may take to end after SIGTERM.
	stopGrace = 15 * time.Second
	// firstTries is how often a process is started that ends before it ever served.
	// Upstream's components end themselves over what passes, as the kubelet that
	// loses a race to another one of the machine, and rely on being started again.
	// What is really wrong is wrong each time; it is told after seconds, not when the
	// time of the whole boot is over.
	firstTries = 3
)

// Spec says how to start a process.
type Spec struct {
	Name string
	Path string
	Args []string
	Env  []string
	// Log receives standard output and standard error, appended.
	Log string
	// Lock is a file that is locked while the process lives.
	Lock string
	// Start starts the command; nil means cmd.Start. It is called on a thread that
	// is not used for anything else and may be changed: a node in a network
	// namespace of its own is started from inside it.
	Start func(cmd *exec.Cmd) error
}

// State is what is known of a process.
type State struct {
	Name     string    `json:"name"`
	PID      int       `json:"pid"`
	Ready    bool      `json:"ready"`
	Restarts int       `json:"restarts"`
	Since    time.Time `json:"since"`
	// LastExit says how the process ended the last time it did.
	LastExit string `json:"lastExit,omitempty"`
}

// Process keeps one process alive until it is stopped.
type Process struct {
	spec Spec

	mu     sync.Mutex
	state  State
	served bool  // at least once
	begin  int64 // where in the log the present run begins, in bytes

	cancel context.CancelFunc
	ended  chan struct{}
	first  chan error
}

// NewProcess describes a process; Start starts it.
func NewProcess(spec Spec) *Process {
	return &Process{spec: spec, state: State{Name: spec.Name}, ended: make(chan struct{}), first: make(chan error, 1)}
}

// Start starts the process and returns when it serves for the first time, or
// with the reason why it did not: it ended before, each time that it was tried,
// or ctx did. The error shows what it wrote the last time. Afterwards it is kept
// alive until Stop, whatever becomes of ctx.
func (p *Process) Start(ctx context.Context) error {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.mu.Lock()
	p.cancel = cancel
	p.mu.Unlock()
	go p.keepAlive(life)
	select {
	case err := <-p.first:
		return err
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.explained(context.Cause(ctx))
	}
}

// Stop ends the process, at first politely, and returns when it is gone. A
// process that was never started is gone already.
func (p *Process) Stop() {
	p.mu.Lock()
	cancel := p.cancel
	p.mu.Unlock()
	if cancel == nil {
		return
	}
	cancel()
	<-p.ended
}

// Kill ends the process at once, and for good, and returns when it is gone.
func (p *Process) Kill() {
	p.mu.Lock()
	if p.state.PID != 0 {
		_ = syscall.Kill(p.state.PID, syscall.SIGKILL)
	}
	p.mu.Unlock()
	p.Stop()
}

// State returns what is known of the process now.
func (p *Process) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

func (p *Process) keepAlive(life context.Context) {
	defer close(p.ended)
	backoff := firstBackoff
	for tries := 1; ; tries++ {
		begin := time.Now()
		err := p.runOnce(life)
		if life.Err() != nil {
			return
		}
		p.noteExit(err)
		if tries == firstTries && p.report(err) {
			return
		}
		if time.Since(begin) > settled {
			backoff = firstBackoff
		}
		select {
		case <-time.After(backoff):
		case <-life.Done():
			return
		}
		backoff = min(2*backoff, lastBackoff)
	}
}

// report hands the failure of a process that never served to Start and says
// whether it is one.
func (p *Process) report(err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.served {
		return false
	}
	p.first <- p.explained(fmt.Errorf("%w (tried %d times)", err, firstTries))
	return true
}

// explained is an error with what the process wrote in its present run.
func (p *Process) explained(err error) error {
	return fmt.Errorf("%w; its log is %s%s", err, p.spec.Log, said(p.spec.Log, p.begin))
}

func (p *Process) noteExit(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.PID, p.state.Ready = 0, false
	p.state.Restarts++
	p.state.LastExit = err.Error()
}

// runOnce starts the process, waits for it to serve and then to end.
func (p *Process) runOnce(life context.Context) error {
	cmd, readiness, err := p.command(life)
	if err != nil {
		return err
	}
	defer readiness.Close()
	started, exited := p.fork(cmd)
	err = <-started
	closeAll(cmd)
	if err != nil {
		return fmt.Errorf("starting %s: %w", p.spec.Path, err)
	}
	p.started(cmd.Process.Pid)
	go p.awaitReady(readiness)
	select {
	case err := <-exited:
		return ending(err)
	case <-life.Done():
		terminate(cmd.Process, exited)
		return life.Err()
	}
}

// fork starts the command on a thread of its own, which lives as long as the
// process: with Pdeathsig the kernel ends a process when the thread that forked
// it ends. The thread is not used again, since Start may have changed it.
func (p *Process) fork(cmd *exec.Cmd) (started, exited <-chan error) {
	start := p.spec.Start
	if start == nil {
		start = (*exec.Cmd).Start
	}
	begun, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := start(cmd)
		begun <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	return begun, ended
}

func (p *Process) command(life context.Context) (*exec.Cmd, *os.File, error) {
	log, err := os.OpenFile(p.spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the log: %w", err)
	}
	lock, err := acquire(life, p.spec.Lock)
	if err != nil {
		return nil, nil, errors.Join(err, log.Close())
	}
	p.mu.Lock()
	p.begin, _ = log.Seek(0, io.SeekEnd) // now that a predecessor writes no more
	p.mu.Unlock()
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(err, log.Close(), lock.Close())
	}
	cmd := exec.Command(p.spec.Path, p.spec.Args...)
	cmd.Env = append(append(os.Environ(), p.spec.Env...), ready.EnvSupervised+"=1")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{w, lock}
	// Without its supervisor a process must go at once: its successor waits for
	// it. Each is made to survive that.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd, r, nil
}

// acquire locks a file for the process to come, and waits while a predecessor
// still lives.
func acquire(life context.Context, path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	locked := make(chan error, 1)
	go func() { locked <- syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }()
	select {
	case err := <-locked:
		if err != nil {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
		}
		return f, nil
	case <-life.Done():
		return nil, life.Err()
	}
}

// closeAll closes the supervisor's copies of what the process inherited.
func closeAll(cmd *exec.Cmd) {
	for _, f := range cmd.ExtraFiles {
		_ = f.Close()
	}
	if log, ok := cmd.Stdout.(*os.File); ok {
		_ = log.Close()
	}
}

func (p *Process) started(pid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.PID, p.state.Since = pid, time.Now()
}

func (p *Process) awaitReady(readiness *os.File) {
	var word [16]byte
	if n, _ := readiness.Read(word[:]); n == 0 {
		return
	}
	p.mu.Lock()
	p.state.Ready, p.served = true, true
	p.mu.Unlock()
	select {
	case p.first <- nil:
	default:
	}
}

func ending(err error) error {
	if err == nil {
		return errors.New("it ended by itself")
	}
	return fmt.Errorf("it ended: %w", err)
}

func terminate(process *os.Process, exited <-chan error) {
	_ = process.Signal(syscall.SIGTERM)
	select {
	case <-exited: //nolint:errcheck // however it ended
	case <-time.After(stopGrace):
		_ = process.Kill()
		<-exited //nolint:errcheck // however it ended
	}
}
