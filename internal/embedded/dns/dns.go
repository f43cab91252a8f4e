// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package dns runs CoreDNS, linked in, as the cluster's DNS server.
//
// It runs in a pod like anybody else's, with the labels that people's network
// policies select (k8s-app: kube-dns), but from no image of its own: the pod
// mounts the program that the machine runs already, so that nothing is pulled
// or copied and its text is in memory once.
package dns

import (
	"context"
	"fmt"
	"os"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/cache"       // answers again what was asked
	_ "github.com/coredns/coredns/plugin/errors"      // logs failures
	_ "github.com/coredns/coredns/plugin/forward"     // asks the host's resolvers
	_ "github.com/coredns/coredns/plugin/health"      // liveness
	_ "github.com/coredns/coredns/plugin/kubernetes"  // services and pods
	_ "github.com/coredns/coredns/plugin/loadbalance" // shuffles answers
	_ "github.com/coredns/coredns/plugin/loop"        // ends on a forwarding loop
	_ "github.com/coredns/coredns/plugin/metrics"     // Prometheus
	_ "github.com/coredns/coredns/plugin/ready"       // readiness
)

// Run serves DNS as the Corefile at path says, until ctx ends.
func Run(ctx context.Context, path string) error {
	if err := dnsserver.Register(); err != nil {
		return fmt.Errorf("registering the DNS server: %w", err)
	}
	dnsserver.Quiet, caddy.Quiet = true, true
	caddy.AppName, caddy.AppVersion = "CoreDNS", "linked into slipway-kube"
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the DNS configuration: %w", err)
	}
	instance, err := caddy.Start(caddy.CaddyfileInput{Contents: content, Filepath: path, ServerTypeName: "dns"})
	if err != nil {
		return fmt.Errorf("starting the DNS server: %w", err)
	}
	<-ctx.Done()
	instance.ShutdownCallbacks()
	return instance.Stop()
}
