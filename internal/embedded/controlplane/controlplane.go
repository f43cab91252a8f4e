// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controlplane runs Kubernetes' API server, controller manager and
// scheduler through their exported entry points, and the metrics API.
//
// Options are given as the components' own flags: they are documented, checked
// by the components themselves, and what every operator knows.
package controlplane

import (
	"fmt"

	"github.com/spf13/pflag"
	cliflag "k8s.io/component-base/cli/flag"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// servingFlags are those of a component that asks the API server who asks it, and answers on the first
// node; its certificate is in files of that name.
func servingFlags(c *cluster.Cluster, user string, port int, certificate string) []string {
	kubeconfig := c.KubeconfigOf(user)
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--authentication-kubeconfig=" + kubeconfig,
		"--authorization-kubeconfig=" + kubeconfig,
		"--bind-address=" + c.NodeIP(c.First()).String(),
		fmt.Sprintf("--secure-port=%d", port),
		"--tls-cert-file=" + c.PKI(certificate+".crt"),
		"--tls-private-key-file=" + c.PKI(certificate+".key"),
	}
}

// parse sets a component's options from flags in the form --name=value. An
// unknown flag is an error: it means that upstream removed it.
func parse(component string, sets cliflag.NamedFlagSets, args []string) error {
	flags := pflag.NewFlagSet(component, pflag.ContinueOnError)
	for _, set := range sets.FlagSets {
		flags.AddFlagSet(set)
	}
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("setting options of %s: %w", component, err)
	}
	return nil
}
