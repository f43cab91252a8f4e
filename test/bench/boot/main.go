// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Command boot measures cold boots: "slipway up" on a data directory that is
// new each time, followed by "slipway reset". The programs are in the page cache
// from the second boot on, as they are on any machine that built or unpacked them.
//
// Each moment is counted from the start of the command. It is taken twice: from
// the phases that the cluster reports, and from outside, by a client that
// watches for a Ready node and by a DNS query of its own after the command.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/test/bench/rig"
)

// Bars, in seconds.
const (
	nodeLimit = 10
	dnsLimit  = 15
)

func main() {
	boots := flag.Int("n", 10, "cold boots to measure")
	flag.Parse()
	os.Exit(rig.Main("boot", func(ctx context.Context, programs string) ([]bench.Bar, error) {
		var samples samples
		for i := range *boots {
			if err := boot(ctx, programs, &samples); err != nil {
				return nil, fmt.Errorf("boot %d of %d: %w", i+1, *boots, err)
			}
			fmt.Fprintf(os.Stderr, "boot %d of %d: %s\n", i+1, *boots, samples.last())
		}
		return samples.bars(), nil
	}))
}

// boot boots one cluster, adds its times to the samples, and removes it.
func boot(ctx context.Context, programs string, into *samples) (err error) {
	c, err := rig.New(programs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Remove()) }()
	began := time.Now()
	seen := make(chan error, 1)
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		err := c.NodeReady(watching)
		into.node = append(into.node, time.Since(began).Seconds())
		seen <- err
	}()
	if err := c.Up(ctx); err != nil {
		cancel()
		<-seen //nolint:errcheck // the first error is told
		return err
	}
	into.up = append(into.up, time.Since(began).Seconds())
	err = query(ctx, c)
	into.dns = append(into.dns, time.Since(began).Seconds())
	if err := errors.Join(err, <-seen); err != nil {
		return err
	}
	status, err := c.Status(ctx)
	if err == nil {
		into.add(status, began)
	}
	return err
}

// query asks the cluster's DNS, at the address of its Service as a pod would.
func query(ctx context.Context, c *rig.Cluster) error {
	status, err := c.Status(ctx)
	if err != nil {
		return err
	}
	address := net.JoinHostPort(status.Addresses["DNS"], "53")
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", address)
	}}
	return rig.Until(ctx, func(ctx context.Context) error {
		_, err := resolver.LookupHost(ctx, "kubernetes.default.svc.cluster.local.")
		return err
	})
}
