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
	ctx, cancel := context.WithTimeout(context.Background(), 3*podGrace)
	defer cancel()
	nodes := s.liveNodes()
	errs := make([]error, len(nodes))
	var group sync.WaitGroup
	for i, n := range nodes {
		if _, err := os.Stat(s.cluster.ContainerdSocket(n)); err != nil {
			continue
		}
		group.Go(func() { errs[i] = containerd.StopPods(ctx, s.cluster.ContainerdSocket(n), podGrace) })
	}
	group.Wait()
	return errors.Join(errs...)
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
