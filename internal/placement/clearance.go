// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"slices"
)

// clearance is room being made for a gang. It begins when others give way to it (Evict), and
// the next plan promises it the places. It ends when the gang runs, or is gone, or when the
// pods of those who gave way are: if it still waits then, since somebody else took the room,
// it has its right again.
type clearance struct {
	// heir is the key of the gang, and gave is how many gave way to it.
	heir string
	gave int
	// room that it has once those are gone; nil where that is not known, or somebody else is there.
	room room
	// resumed says that it began before a restart, which may have cut it off, until it is completed
	// (resume.go), and begun when the first of those who gave way lost its places, if that is known.
	resumed bool
	begun   int64
}

// exit is a node that a gang gave up, when, and for whom: its pods may still be there.
type exit struct {
	node *node
	to   *clearance
	at   int64
}

// clear room for a gang, which so many give.
func (p *Picture) clear(g *gang, gave int) *clearance {
	g.clearance = &clearance{heir: g.Key, gave: gave}
	p.clearances = append(p.clearances, g.clearance)
	return g.clearance
}

// leaveNode to another gang, once the gang's pods there have ended.
func (p *Picture) leaveNode(g *gang, left exit) {
	if len(g.exits) == 0 {
		p.leavers = append(p.leavers, g)
	}
	if !slices.ContainsFunc(g.exits, func(e exit) bool { return e.node == left.node && e.to == left.to }) {
		g.exits = append(g.exits, left)
	}
}

// takeExits over from the gang that this one was before: its pods end for the same heirs, be
// it that the gang asks for something else.
func (p *Picture) takeExits(g, old *gang) {
	for _, e := range old.exits {
		p.leaveNode(g, e)
	}
	old.exits = nil
}

// restoreExits of a gang that was known before: as the same picture knows them, as it was
// deleted and is here again, or else, when all pods are known, from what it was told.
func (p *Picture) restoreExits(g *gang) {
	for _, l := range slices.Clone(p.leavers) { // there may have been several of its name
		if l.Key == g.Key {
			p.takeExits(g, l)
		}
	}
	if len(g.GaveWayTo) > 0 {
		p.restored = append(p.restored, g.Key)
	}
}

// resumeClearances for which others gave way before they were told of here, and say whether
// there are any. Of one that gave places to several nobody knows which of them to whom: each
// is taken to wait for all.
func (p *Picture) resumeClearances() bool {
	if len(p.restored) == 0 {
		return false
	}
	exits, begun := p.overstayed(), len(p.clearances)
	slices.Sort(p.restored)
	for _, key := range slices.Compact(p.restored) {
		g := p.gangs[key]
		if g == nil || len(exits[key]) == 0 {
			continue
		}
		for _, heir := range g.GaveWayTo {
			to := p.resumeClearance(heir, p.clearances[begun:])
			if g.Stopped > 0 && (to.begun == 0 || g.Stopped < to.begun) {
				to.begun = g.Stopped
			}
			for _, n := range exits[key] {
				p.leaveNode(g, exit{n, to, p.now})
			}
		}
	}
	p.restored = nil
	return len(p.clearances) > 0
}

// resumeClearance of a gang, one of those just resumed by one more that gave way. Where it
// runs, or is gone, there is none, and the pods leave all the same.
func (p *Picture) resumeClearance(heir string, resumed []*clearance) *clearance {
	g := p.gangs[heir]
	switch {
	case g == nil || g.runs() || !g.any(slot.missing):
		return &clearance{heir: heir}
	case g.clearance == nil:
		p.raise(g)
		p.clear(g, 1).resumed = true
	case slices.Contains(resumed, g.clearance):
		g.clearance.gave++
	}
	return g.clearance
}

// overstayed are the nodes on which gangs that are restored have more pods than places, by
// gang and in order.
func (p *Picture) overstayed() map[string][]*node {
	nodes := map[string][]*node{}
	for _, key := range p.restored {
		nodes[key] = nil
	}
	for _, pod := range p.pods {
		at, restored := nodes[pod.gang]
		if n := p.byName[pod.node]; restored && p.overstays(pod.gang, n) && !slices.Contains(at, n) {
			nodes[pod.gang] = append(at, n)
		}
	}
	for _, at := range nodes {
		slices.SortFunc(at, func(a, b *node) int { return cmp.Compare(a.Name, b.Name) })
	}
	return nodes
}

// overstays says that a gang has more pods on a node than places.
func (p *Picture) overstays(gang string, n *node) bool {
	a := n.accounts[gang]
	if a == nil || a.count[slots] == 0 {
		return a != nil && a.count[bound] > 0
	}
	pods := int64(0)
	for _, there := range a.seated {
		for _, b := range there {
			if !b.kin.claim {
				pods++
			}
		}
	}
	return pods > a.count[slots]
}

// GaveWayTo are the keys of the gangs to which one gave places whose pods have not ended yet.
// A picture to which it is told with the gang goes on as this one would.
func (p *Picture) GaveWayTo(key string) []string {
	g := p.gangs[key]
	if g == nil {
		return nil
	}
	var heirs []string
	for _, e := range g.exits {
		if e.to.heir != "" && p.overstays(key, e.node) {
			heirs = append(heirs, e.to.heir)
		}
	}
	slices.Sort(heirs)
	return slices.Compact(heirs)
}

// departing are the gangs that gave places back on which there still are pods of theirs, be
// the gangs deleted since or not.
func (p *Picture) departing() []*gang {
	p.leavers = slices.DeleteFunc(p.leavers, func(g *gang) bool {
		g.exits = slices.DeleteFunc(g.exits, func(e exit) bool { return !p.overstays(g.Key, e.node) })
		return len(g.exits) == 0
	})
	return p.leavers
}

// endClearances of gangs that run or are gone, and of those for whom nobody leaves any more. Who
// leaves for one that has started already, on what others left for another one, say, leaves for
// all that wait.
func (p *Picture) endClearances() {
	awaited, anyone := map[string]bool{}, false
	for _, g := range p.departing() {
		for _, e := range g.exits {
			heir := p.gangs[e.to.heir]
			awaited[e.to.heir] = true
			anyone = anyone || heir == nil || heir.clearance != e.to
		}
	}
	p.clearances = slices.DeleteFunc(p.clearances, func(c *clearance) bool {
		g := p.gangs[c.heir]
		if g == nil || g.clearance != c {
			return true
		}
		if g.queued && !awaited[c.heir] && !anyone {
			g.clearance = nil
			p.relapse(g)
		}
		return g.clearance == nil
	})
}

// heirs are the gangs for which room is being made, in turn.
func (p *Picture) heirs() []*gang {
	var heirs []*gang
	for _, c := range p.clearances {
		if g := p.gangs[c.heir]; g != nil && g.clearance == c && g.queued {
			heirs = append(heirs, g)
		}
	}
	slices.SortFunc(heirs, func(a, b *gang) int { return a.turn.compare(b.turn) })
	return heirs
}

// inLine for the next plan are those who keep the places that others gave up for them, then
// some that are to be favoured, and the others that have a promise.
func (p *Picture) inLine(favoured []*gang) []*gang {
	promised := p.promised(favoured)
	var first []*gang
	for _, g := range promised {
		if g.clearance != nil {
			first = append(first, g)
		}
	}
	line := first
	for _, g := range slices.Concat(favoured, p.heirs(), promised) {
		if !slices.Contains(line, g) {
			line = append(line, g)
		}
	}
	return line
}
