// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package datastore runs etcd inside the process of the API server.
//
// It has one member, listens on unix sockets in a directory that only root may
// enter, and advertises those sockets, so that no change of the machine's
// addresses concerns it. Writes are synced to disk before they are answered:
// a killed process loses nothing.
package datastore

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"go.etcd.io/etcd/server/v3/embed"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// quota is the largest size of the database, the largest that etcd advises.
const quota = 8 << 30

// Options change what suits a cluster into what suits a test.
type Options struct {
	// Throwaway gives up durability for speed: data is lost with the machine.
	Throwaway bool
}

// Start starts etcd and returns once it serves. The caller closes it.
func Start(ctx context.Context, c *cluster.Cluster, o Options) (*embed.Etcd, error) {
	for _, socket := range []string{c.EtcdSocket(), c.EtcdPeerSocket()} {
		if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("removing a stale socket: %w", err)
		}
	}
	etcd, err := embed.StartEtcd(config(c, o))
	if err != nil {
		return nil, fmt.Errorf("starting etcd on %s: %w", c.Etcd(), err)
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err := <-etcd.Err():
		etcd.Close()
		return nil, fmt.Errorf("starting etcd on %s: %w", c.Etcd(), err)
	case <-ctx.Done():
		etcd.Close()
		return nil, context.Cause(ctx)
	}
}

// Endpoint is the address that the API server is given.
func Endpoint(c *cluster.Cluster) string { return "unix://" + c.EtcdSocket() }

func config(c *cluster.Cluster, o Options) *embed.Config {
	cfg := embed.NewConfig()
	cfg.Name = "slipway"
	cfg.Dir = c.Etcd()
	cfg.ListenClientUrls = []url.URL{{Scheme: "unix", Path: c.EtcdSocket()}}
	cfg.AdvertiseClientUrls = cfg.ListenClientUrls
	cfg.ListenPeerUrls = []url.URL{{Scheme: "unix", Path: c.EtcdPeerSocket()}}
	cfg.AdvertisePeerUrls = cfg.ListenPeerUrls
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.LogLevel = "warn"
	cfg.QuotaBackendBytes = quota
	cfg.EnableGRPCGateway = false
	cfg.UnsafeNoFsync = o.Throwaway
	// One member has nobody to elect against; the shortest allowed times make
	// it lead, and so serve, soonest.
	cfg.TickMs, cfg.ElectionMs = 10, 50
	return cfg
}
