// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/control"
	"slipway.dev/slipway/internal/embedded/doctor"
	"slipway.dev/slipway/internal/embedded/journal"
	"slipway.dev/slipway/internal/embedded/network"
	"slipway.dev/slipway/internal/embedded/supervise"
)

// bootLimit is how long a boot may take before it counts as failed.
const bootLimit = 3 * time.Minute

// Supervisor runs one cluster.
type Supervisor struct {
	cluster   *cluster.Cluster
	programs  cluster.Programs
	host      cluster.Host
	journal   *journal.Journal
	resolvers []byte
	started   time.Time
	// life ends when the cluster is to go down; cancel ends it.
	life   context.Context
	cancel context.CancelFunc

	// changing is held while nodes come or go and while certificates are issued.
	changing sync.Mutex

	mu        sync.Mutex
	processes []*supervise.Process
	phases    []control.Phase
	watchers  []chan control.Phase
	booted    bool
	killed    map[string]bool
}

// Run brings a cluster up, calls observe for each phase and ready once all of
// them are done, and keeps the cluster up until ctx ends or somebody asks it to
// end. Then it stops everything, pods included; the data stay.
func Run(ctx context.Context, c *cluster.Cluster, host cluster.Host, observe func(control.Phase), ready func()) error {
	held, err := lock(c)
	if err != nil {
		return err
	}
	defer held.Close()
	alone, err := lockNetwork(c)
	if err != nil {
		removeUnmade(c)
		return err
	}
	defer func() { _ = letGo(alone) }()
	s, err := newSupervisor(c, host)
	if err == nil {
		err = c.Save()
	}
	if err != nil {
		removeUnmade(c)
		return err
	}
	s.life, s.cancel = context.WithCancel(ctx)
	defer s.cancel()
	// Whoever asks while it stops is told so.
	answering, silence := context.WithCancel(context.WithoutCancel(ctx))
	serving := make(chan error, 1)
	go func() { serving <- control.Serve(answering, c.ControlSocket(), s) }()
	defer func() { silence(); <-serving }() //nolint:errcheck // it ends because it was asked to

	if err := s.boot(observe); err != nil {
		return errors.Join(err, s.stop())
	}
	ready()
	go s.renewCertificates(s.life)
	go s.rotateLogs(s.life)
	go s.keepNetwork(s.life)
	select {
	case <-s.life.Done():
	case err := <-serving:
		serving <- err
		return errors.Join(err, s.stop())
	}
	return s.stop()
}

func newSupervisor(c *cluster.Cluster, host cluster.Host) (*Supervisor, error) {
	programs, err := cluster.FindPrograms()
	if err != nil {
		return nil, err
	}
	if err := awaitPredecessors(c); err != nil {
		return nil, err
	}
	if err := checkPorts(c); err != nil {
		return nil, err
	}
	if _, err := os.Stat(programs.Platform()); err != nil {
		return nil, fmt.Errorf("the program slipway is missing at %s; build it with \"make build\", or name it in $%s", programs.Platform(), cluster.EnvPlatform)
	}
	if err := makeDirs(c); err != nil {
		return nil, err
	}
	j, err := journal.Open(c.Journal())
	if err != nil {
		return nil, err
	}
	return &Supervisor{cluster: c, programs: programs, host: host, journal: j, resolvers: network.ResolvConf(), started: time.Now(), killed: map[string]bool{}}, nil
}

// checkPorts finds another program on a port before anything is made or started.
func checkPorts(c *cluster.Cluster) error {
	frontDoor, err := net.ResolveTCPAddr("tcp", c.FrontDoor)
	if err != nil {
		return fmt.Errorf("--listen %q is not host:port: %w", c.FrontDoor, err)
	}
	api := netip.AddrPortFrom(c.NodeIP(c.First()), uint16(c.APIPort))
	return errors.Join(doctor.PortFree(frontDoor.AddrPort(), "--listen"), doctor.PortFree(api, "--api-port"))
}

func (s *Supervisor) boot(observe func(control.Phase)) error {
	ctx, cancel := context.WithTimeoutCause(s.life, bootLimit, fmt.Errorf("it took longer than %s", bootLimit))
	defer cancel()
	err := supervise.Run(ctx, s.steps(), func(e supervise.Event) { observe(s.note(e)) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.booted = err == nil
	for _, w := range s.watchers {
		close(w)
	}
	s.watchers = nil
	return err
}

// note keeps a phase for the status and hands it to whoever watches.
func (s *Supervisor) note(e supervise.Event) control.Phase {
	phase := control.Phase{Name: e.Step, Took: e.Took, Done: e.Done, Begin: e.At.Sub(s.started) - e.Took}
	if e.Err != nil {
		phase.Error = e.Err.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.phases, func(p control.Phase) bool { return p.Name == e.Step })
	if at < 0 {
		s.phases = append(s.phases, phase)
	} else {
		s.phases[at] = phase
	}
	for _, w := range s.watchers {
		w <- phase
	}
	return phase
}

// Watch implements control.Supervisor. What already happened comes first.
func (s *Supervisor) Watch() <-chan control.Phase {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Room for every phase to begin and to end, twice: note never waits.
	w := make(chan control.Phase, 64+8*len(s.cluster.Nodes)+2*len(s.phases))
	for _, p := range s.phases {
		w <- p
	}
	if s.booted {
		close(w)
	} else {
		s.watchers = append(s.watchers, w)
	}
	return w
}

// Down implements control.Supervisor.
func (s *Supervisor) Down() { s.cancel() }

// stop ends the processes in the opposite order of their start: first what uses
// the API server, then the pods, and containerd and the API server last. A node
// that is being added comes to its end first.
func (s *Supervisor) stop() error {
	s.cancel()
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.Lock()
	processes := slices.Clone(s.processes)
	s.mu.Unlock()
	s.stopMatching(processes, "platform", "control", "node:")
	err := s.stopPods()
	s.stopMatching(processes, "containerd:", "server")
	return err
}
