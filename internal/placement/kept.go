// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// Kept is what is kept of a node for a gang that waits.
type Kept struct {
	Gang string
	// At is when it is to start, in seconds.
	At int64
	// Takes is what it has there then.
	Takes Resources
}

// Kept of a node for those that were promised places there, the first to start first.
func (p *Picture) Kept(name string) []Kept {
	n := p.byName[name]
	if n == nil || p.plan == nil {
		return nil
	}
	var all []Kept
	for _, pr := range p.plan.byTime {
		if pr.gang.promise != pr || !slices.ContainsFunc(pr.places, func(at place) bool { return at.node == n }) {
			continue
		}
		k := Kept{Gang: pr.gang.Key, At: pr.at, Takes: Resources{}}
		for i, amount := range pr.on(n) {
			if amount != 0 {
				k.Takes[p.names.list[i]] = amount
			}
		}
		all = append(all, k)
	}
	return all
}
