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
)

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
