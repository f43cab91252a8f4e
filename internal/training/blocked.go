// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"maps"
	"slices"
)

// blocked says why a job cannot have what it needs.
type blocked struct {
	// Gang is why it cannot have the one of its name; empty if it can.
	Gang string
	// Ranks are what is in the way of a pod or a service, by the rank's name.
	Ranks map[string]string
	// Fields ask for what is not there: a class, a volume, a device.
	Fields map[string]string
}

func newBlocked() blocked { return blocked{Ranks: map[string]string{}, Fields: map[string]string{}} }

func (b blocked) any() bool { return b.Gang != "" || len(b.Ranks)+len(b.Fields) > 0 }

// reasons in words, a line each.
func (b blocked) reasons() []string {
	all := slices.Concat(slices.Collect(maps.Values(b.Ranks)), slices.Collect(maps.Values(b.Fields)))
	if b.Gang != "" {
		all = append(all, b.Gang)
	}
	slices.Sort(all)
	return all
}
