// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// Endless are the gangs in the way of one that waits of which nobody knows how long they run, by
// key: they hold some of what it asks for, or were promised it. Of one that asks for devices these
// count alone, since almost everybody holds a little of the rest.
func (p *Picture) Endless(key string) []string {
	waits := p.gangs[key]
	if waits == nil {
		return nil
	}
	asks := p.telling(waits.sum(waits.lacks()))
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

// telling part of what is asked for: the devices or, without any, all but the number of pods.
func (p *Picture) telling(asks vector) vector {
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
