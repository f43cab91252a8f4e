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

// Endless are the gangs in the way of one that waits of which nobody knows how long they run, by
// key: they hold some of what it asks for, or were promised it. Of one that asks for devices these
// count alone, since almost everybody holds a little of the rest.
func (p *Picture) Endless(key string) []string {
	waits := p.gangs[key]
	if waits == nil {
		return nil
	}
	asks := p.scarce(waits.sum(waits.lacks()))
	var keys []string
	for _, g := range slices.Concat(p.holders, p.promised(p.holders)) {
		takes, _ := p.past.runTime(g)
		if g != waits && takes == 0 && (g.sum(g.placed()).meets(asks) || g.promise != nil && g.sum(g.lacks()).meets(asks)) {
			keys = append(keys, g.Key)
		}
	}
	slices.Sort(keys)
	return keys
}

// scarce part of what is asked for: the devices or, without any, all but the number of pods.
func (p *Picture) scarce(asks vector) vector {
	devices, rest := slices.Clone(asks), slices.Clone(asks)
	for i := range asks {
		switch name := p.names.list[i]; {
		case name == pods:
			devices[i], rest[i] = 0, 0
		case !IsDevice(name):
			devices[i] = 0
		}
	}
	if devices.zero() {
		return rest
	}
	return devices
}
