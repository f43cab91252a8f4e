// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"sigs.k8s.io/knftables"
)

// Config says what one agent enforces and where.
type Config struct {
	// Node is the name of the node whose pods are protected.
	Node string

	// Client needs the permissions that Rules returns.
	Client kubernetes.Interface

	// Nft is what Open returns. It acts in the network namespace of the process,
	// which must be the node's.
	Nft knftables.Interface

	// PodCIDRs are the ranges that this node gives its pods addresses from. With
	// them, new pods that policies isolate are cut off until their address is
	// known; without them, they are unprotected until then. Optional.
	PodCIDRs []netip.Prefix

	// Families are those of the pods' addresses. Both if empty.
	Families []corev1.IPFamily

	// Ready is called once, when the policies are in force for the first time.
	// The node's kubelet should not start pods before. Optional.
	Ready func()
}

const (
	// settle is how long a change waits for others that come with it.
	settle = 20 * time.Millisecond

	// breather is how many times as long as the last update took nothing is done
	// after it, so that a storm of changes costs at most a quarter of a core.
	breather = 3

	// After a failure the next attempt waits twice as long as after the one
	// before, from firstRetry to lastRetry.
	firstRetry = 100 * time.Millisecond
	lastRetry  = 30 * time.Second
)

// Run enforces the policies until ctx is cancelled, and returns nil then. It
// leaves the table behind, so that pods stay protected while no agent runs. A
// failure to write the table is logged and tried again.
func Run(ctx context.Context, config Config) error {
	if err := config.validate(); err != nil {
		return err
	}
	agent := &agent{config: config, objects: newSources(config.Client), table: table{nft: config.Nft}}
	changes, stop := agent.objects.start(ctx)
	defer stop()
	if !agent.objects.synced(ctx) {
		return nil
	}
	agent.loop(ctx, changes)
	return nil
}

func (c Config) validate() error {
	switch {
	case c.Node == "":
		return fmt.Errorf("starting network policy: Node is empty; set it to the name of this node")
	case c.Client == nil:
		return fmt.Errorf("starting network policy: Client is nil; set it to a client of the API server")
	case c.Nft == nil:
		return fmt.Errorf("starting network policy: Nft is nil; set it to what policy.Open returns")
	}
	for _, cidr := range c.PodCIDRs {
		if !cidr.IsValid() {
			return fmt.Errorf("starting network policy: PodCIDRs has an invalid prefix; parse each with netip.ParsePrefix")
		}
	}
	return nil
}

type agent struct {
	config  Config
	objects sources
	table   table
	ready   bool
}

// loop applies the first state at once and every further one a moment after the
// change that caused it. Changes that come while it is busy, rests or waits for a
// retry are applied together.
func (a *agent) loop(ctx context.Context, changes <-chan struct{}) {
	due, retry, rested := time.After(0), firstRetry, time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changes:
			if due == nil {
				due = time.After(max(settle, time.Until(rested)))
			}
		case <-due:
			due = nil
			begin := time.Now()
			err := a.sync(ctx)
			rested = time.Now().Add(breather * time.Since(begin))
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				klog.FromContext(ctx).Error(err, "Network policies are not up to date", "retryAfter", retry)
				due, retry = time.After(retry), min(2*retry, lastRetry)
			default:
				retry = firstRetry
			}
		}
	}
}

// sync compiles what is known now and applies it.
func (a *agent) sync(ctx context.Context) error {
	in := a.objects.read()
	in.node, in.podCIDRs, in.families = a.config.Node, a.config.PodCIDRs, families(a.config.Families)
	if err := a.table.apply(ctx, compile(in)); err != nil {
		return err
	}
	if !a.ready && a.config.Ready != nil {
		a.config.Ready()
	}
	a.ready = true
	return nil
}
