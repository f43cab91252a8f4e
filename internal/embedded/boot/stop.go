// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/containerd"
	"slipway.dev/slipway/internal/embedded/supervise"
)

// stopMatching stops, all at once, the processes whose names begin with one of
// the given prefixes.
func (s *Supervisor) stopMatching(processes []*supervise.Process, prefixes ...string) {
	var group sync.WaitGroup
	for _, p := range processes {
		matches := func(prefix string) bool { return strings.HasPrefix(p.State().Name, prefix) }
		if slices.ContainsFunc(prefixes, matches) {
			group.Go(p.Stop)
		}
	}
	group.Wait()
}

// podGrace is how long pods may take to end when the cluster goes down.
const podGrace = 10 * time.Second

func (s *Supervisor) stopPods() error {
	ctx, cancel := context.WithTimeout(context.Background(), 4*podGrace)
	defer cancel()
	nodes := s.liveNodes()
	errs := make([]error, len(nodes))
	var group sync.WaitGroup
	for i, n := range nodes {
		if _, err := os.Stat(s.cluster.ContainerdSocket(n)); err != nil {
			continue
		}
		group.Go(func() { errs[i] = s.stopPodsOf(ctx, n) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// stopPodsOf ends the pods of a node whose kubelet has ended. That they are
// interrupted is told before any of them is asked to end, so that no kubelet takes
// a program that then exits with 0 for one that has done its work.
func (s *Supervisor) stopPodsOf(ctx context.Context, n cluster.Node) error {
	pods, err := containerd.OpenPods(s.cluster.ContainerdSocket(n))
	if err != nil {
		return err
	}
	defer func() { _ = pods.Close() }()
	running, err := pods.Running(ctx)
	if err != nil {
		return err
	}
	untold, err := s.interrupt(ctx, n.Name, running)
	return errors.Join(err, pods.Stop(ctx, podGrace), pods.Forget(ctx, untold))
}

// liveNodes are the nodes that were not killed.
func (s *Supervisor) liveNodes() []cluster.Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	var live []cluster.Node
	for _, n := range s.cluster.Nodes {
		if !s.killed[n.Name] {
			live = append(live, n)
		}
	}
	return live
}
