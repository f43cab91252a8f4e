// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"slices"
)

// The pods of a gang that is gone end like those of one that gave way: whoever deleted it deletes
// them, and each says by when it will have ended. What they take is promised to others for then.

// setUntil notes by when a pod on its way out will have ended, or with zero that it is on none, and
// says whether that is news of a pod whose gang is gone.
func (p *Picture) setUntil(b *bookedPod, until int64) bool {
	news := b.until != until
	if b.until = until; b.gang == "" || !news {
		return false
	}
	if until == 0 {
		p.dropOutgoing(b)
		return false
	}
	if p.outgoing == nil {
		p.outgoing = map[string]map[*bookedPod]bool{}
	}
	if p.outgoing[b.gang] == nil {
		p.outgoing[b.gang] = map[*bookedPod]bool{}
	}
	p.outgoing[b.gang][b] = true
	if p.gangs[b.gang] != nil {
		return false
	}
	p.changes++
	return true
}

// dropOutgoing takes a pod, if it is there, from those on their way out.
func (p *Picture) dropOutgoing(b *bookedPod) {
	if delete(p.outgoing[b.gang], b); len(p.outgoing[b.gang]) == 0 {
		delete(p.outgoing, b.gang)
	}
}

// orphans are the endings of what is left of gangs that are gone, be there new ones of their names
// that have no places yet.
func (p *Picture) orphans() []ending {
	var all []ending
	for _, key := range sortedKeys(p.outgoing) {
		known := func(l *gang) bool { return l.Key == key }
		if g := p.gangs[key]; g != nil && g.holds > 0 || slices.ContainsFunc(p.leavers, known) {
			continue
		}
		left, until := &gang{Gang: Gang{Key: key}}, int64(0)
		for b := range p.outgoing[key] {
			until = max(until, b.until)
			n := p.byName[b.node]
			if !slices.ContainsFunc(left.exits, func(e exit) bool { return e.node == n }) && n.accounts[key].ends() {
				left.exits = append(left.exits, exit{node: n})
			}
		}
		slices.SortFunc(left.exits, func(a, b exit) int { return cmp.Compare(a.node.Name, b.node.Name) })
		if len(left.exits) > 0 {
			all = append(all, ending{p.expectedEnd(until), 1, leaver{gang: left, part: remains}})
		}
	}
	return all
}

// adoptOutgoing pods of an earlier gang of its name: it does not start where they are before they have
// left.
func (p *Picture) adoptOutgoing(g *gang) {
	if g.resuming {
		return // they may be its own
	}
	for b := range p.outgoing[g.Key] {
		n := p.byName[b.node]
		if known := func(e exit) bool { return e.node == n }; n != nil && n.accounts[g.Key].ends() && !slices.ContainsFunc(g.exits, known) {
			p.leaveNode(g, exit{n, &clearance{}, b.until - Overrun})
		}
	}
	slices.SortFunc(g.exits, func(a, b exit) int { return cmp.Compare(a.node.Name, b.node.Name) })
}

// ends says that all pods of an account are on their way out. What they were given beside their
// room goes with them.
func (a *account) ends() bool {
	for _, there := range a.seated {
		for _, b := range there {
			if b.until == 0 && !b.kin.claim {
				return false
			}
		}
	}
	return true
}
