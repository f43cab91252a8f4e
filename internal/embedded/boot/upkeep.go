// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/network"
	"slipway.dev/slipway/internal/embedded/pki"
)

// How often the supervisor looks at certificates, logs and the network.
const (
	// renewInterval at most: clocks jump, and timers do not count the time that
	// a machine sleeps.
	renewInterval = 6 * time.Hour
	// renewRetry after a failure.
	renewRetry      = 10 * time.Second
	rotateInterval  = time.Minute
	networkInterval = time.Minute
	// logLimit is the size at which a log is put aside; one older file is kept.
	logLimit = 32 << 20
)

// renewCertificates issues anew, in place, what is past two thirds of its life.
// The API server, the kubelet and every client read their files again; nothing
// is restarted.
func (s *Supervisor) renewCertificates(ctx context.Context) {
	s.every(ctx, s.untilRenewal, func() error {
		s.changing.Lock()
		defer s.changing.Unlock()
		issued, err := pki.Ensure(s.cluster, time.Now())
		if len(issued) > 0 {
			fmt.Fprintln(os.Stderr, "renewed certificates:", issued)
		}
		return err
	})
}

func (s *Supervisor) untilRenewal() time.Duration {
	s.changing.Lock()
	defer s.changing.Unlock()
	return min(max(time.Until(pki.NextRenewal(s.cluster)), renewRetry), renewInterval)
}

// rotateLogs copies a log that has grown too large and truncates it: the
// processes hold their logs open, in append mode.
func (s *Supervisor) rotateLogs(ctx context.Context) {
	s.every(ctx, func() time.Duration { return rotateInterval }, func() error {
		logs, err := filepath.Glob(s.cluster.Log("*"))
		if err != nil {
			return err
		}
		for _, log := range logs {
			if err := rotate(log); err != nil {
				return err
			}
		}
		return nil
	})
}

// keepNetwork makes again what somebody may have taken away without meaning to,
// as "nft flush ruleset" does; the service proxy and the policies look after
// theirs. It also follows the machine to other resolvers.
func (s *Supervisor) keepNetwork(ctx context.Context) {
	s.every(ctx, func() time.Duration { return networkInterval }, func() error {
		s.changing.Lock()
		defer s.changing.Unlock()
		return errors.Join(network.Masquerade(s.cluster, s.journal), s.followResolvers())
	})
}

func (s *Supervisor) followResolvers() error {
	resolvers := network.ResolvConf()
	if bytes.Equal(resolvers, s.resolvers) {
		return nil
	}
	for _, n := range s.cluster.Nodes {
		if err := cluster.WriteFile(s.cluster.NodeDir(n, "resolv.conf"), resolvers, 0o644); err != nil {
			return err
		}
	}
	s.resolvers = resolvers
	return s.applyManifests(s.life)
}

func rotate(log string) error {
	info, err := os.Stat(log)
	if err != nil || info.Size() < logLimit || filepath.Base(log) == "audit.log" {
		return err
	}
	content, err := os.ReadFile(log)
	if err != nil {
		return err
	}
	if err := os.WriteFile(log+".1", content, 0o600); err != nil {
		return err
	}
	return os.Truncate(log, 0)
}

// every does something now and again until ctx ends. A failure is said, and
// tried again the next time.
func (s *Supervisor) every(ctx context.Context, interval func() time.Duration, do func() error) {
	timer := time.NewTimer(interval())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if err := do(); err != nil {
			fmt.Fprintln(os.Stderr, "slipway: upkeep:", err)
		}
		timer.Reset(interval())
	}
}
