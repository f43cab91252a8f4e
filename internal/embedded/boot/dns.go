// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// dnsInterval is how often the name is asked for until it is answered: DNS has
// nothing to watch.
const dnsInterval = 50 * time.Millisecond

// awaitDNS returns when the cluster's DNS answers for the API server's Service,
// through the Service address: the whole path that a pod's query takes.
func (s *Supervisor) awaitDNS(ctx context.Context) error {
	address := netip.AddrPortFrom(s.cluster.DNSServiceIP(), 53).String()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", address)
	}}
	ticker := time.NewTicker(dnsInterval)
	defer ticker.Stop()
	for {
		query, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		_, err := resolver.LookupHost(query, "kubernetes.default.svc.cluster.local.")
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-ticker.C:
		}
	}
}
