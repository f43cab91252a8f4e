// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"math"
	"slices"
)

// class is all the pod sets of one Shape. It remembers for every node how many
// of their pods fit there, and looks again only at nodes that were touched.
type class struct {
	Shape
	key   string
	users int // sets
	// requests of one pod, itself included.
	requests []amount
	// selectors are the labels of Selector, in order.
	selectors []string
	// ties to other pods, mostly nil; shunned pods are those that others keep away.
	ties    *ties
	shunned bool

	sight  sight
	fits   []fit // by node.index
	ladder ladder
	total  int64 // sum of fits
	// members and version of the Picture that fits are right for.
	members, version uint64
}

// fit of a class on a node.
type fit struct {
	// pods that fit now.
	pods int32
	// order among nodes: the smaller are taken first.
	order uint32
}

// sync brings fits up to date.
func (c *class) sync(p *Picture) {
	switch {
	case c.fits == nil || c.members != p.members || c.version < p.forgotten || c.ties.outdated(p):
		c.fits, c.ladder, c.total = make([]fit, len(p.nodes)), ladder{}, 0
		c.ties.begin(p, c)
		for i := range p.nodes {
			c.refit(p, i)
		}
	default:
		for back, i := range p.history[c.version-p.forgotten:] {
			if p.touched[i] == c.version+uint64(back)+1 { // and not again since
				c.refit(p, i)
			}
		}
	}
	c.sift()
	c.members, c.version = p.members, p.version
}

func (c *class) refit(p *Picture, i int) {
	n, now := p.nodes[i], fit{}
	if room := c.room(n); room > 0 && c.admits(n) {
		now = fit{room, c.order(n)}
	}
	c.put(i, c.ties.refit(n, now))
}

func (c *class) put(i int, now fit) {
	was := c.fits[i]
	if now == was {
		return
	}
	c.ladder.take(i, was)
	c.ladder.put(i, now)
	c.fits[i] = now
	c.total += int64(now.pods - was.pods)
}

// room on the node, in pods of the class, its rules apart.
func (c *class) room(n *node) int32 {
	room := int64(maxPods)
	for _, r := range c.requests {
		room = min(room, n.free(r.at)/r.n)
	}
	if len(c.HostPorts) > 0 && room > 0 {
		if _, taken := n.portTaken(c.HostPorts); taken {
			return 0
		}
		room = 1
	}
	return int32(max(room, 0))
}

// admits says that the node takes new pods of the class if it has room.
func (c *class) admits(n *node) bool {
	return n.Ready && !n.cordon(c.Tolerations) && !n.refuses(c.Tolerations) && c.selects(n)
}

func (n *node) refuses(by []Toleration) bool {
	_, noSchedule := n.taint(NoSchedule, by)
	_, noExecute := n.taint(NoExecute, by)
	return noSchedule || noExecute
}

func (c *class) selects(n *node) bool {
	for key, value := range c.Selector {
		if have, ok := n.Labels[key]; !ok || have != value {
			return false
		}
	}
	return len(c.Affinity) == 0 || slices.ContainsFunc(c.Affinity, func(t Term) bool { return t.matches(&n.Node) })
}

// isWhole is the bit of an order of nodes that are better kept whole.
const isWhole = 1

// maxScore is above what the weights of preferences can add up to in practice.
const maxScore = 1 << 20

// order puts nodes that are wanted before those that are not, nodes without
// needless devices before others, and partly used ones before whole ones.
func (c *class) order(n *node) uint32 {
	score := int32(0)
	for _, preference := range c.Preferred {
		if preference.Term.matches(&n.Node) {
			score += max(preference.Weight, 0)
		}
	}
	order := uint32(maxScore-min(score, maxScore/2)) << 2
	if _, rather := n.taint(PreferNoSchedule, c.Tolerations); rather {
		order |= 1 << 31
	}
	if slices.ContainsFunc(n.devices, func(i int) bool { return !c.asks(i) }) {
		order |= 2
	}
	if n.whole() {
		order |= isWhole
	}
	return order
}

func (c *class) asks(resource int) bool {
	return slices.ContainsFunc(c.requests, func(r amount) bool { return r.at == resource })
}

// best node of an area, its kind not shut, for the next of so many pods, or -1:
// first by order, then the one that holds all of them with the least to spare, then
// the one that holds most, then by name.
func (c *class) best(p *Picture, in area, pods int32, shut kindSet) int {
	if len(in) == 0 && shut == nil {
		return c.ladder.best(pods)
	}
	return c.search(p, in, pods, shut)
}

// search every node of the area for the best.
func (c *class) search(p *Picture, in area, pods int32, shut kindSet) int {
	best, least := -1, uint64(math.MaxUint64)
	for i := range in.indices(p) {
		f := c.fits[i]
		if f.pods == 0 || shut != nil && shut[p.nodes[i].kind] {
			continue
		}
		rank := uint64(f.order)<<32 | uint64(f.pods)
		if f.pods < pods {
			rank = uint64(f.order)<<32 | 1<<31 | uint64(maxPods-f.pods)
		}
		if rank < least {
			best, least = i, rank
		}
	}
	return best
}

// emptiest node of an area, its kind not shut, or -1: by order, but whether it is whole,
// and then the one with room for most pods.
func (c *class) emptiest(p *Picture, in area, shut kindSet) int {
	best, least := -1, fit{}
	for i := range in.indices(p) {
		f := c.fits[i]
		if f.pods == 0 || shut != nil && shut[p.nodes[i].kind] {
			continue
		}
		f.order &^= isWhole
		if best < 0 || f.order < least.order || f.order == least.order && f.pods > least.pods {
			best, least = i, f
		}
	}
	return best
}

// maxUnused classes that no set uses are kept, because the next gang is often like
// the last.
const maxUnused = 64

// intern finds or makes the class of a set, and counts one more user.
func (p *Picture) intern(s *PodSet, k *kin) *class {
	shunned := p.shunned(k)
	key := s.Shape.key() + tieKey(s, shunned)
	c := p.classes[key]
	if c == nil {
		c = &class{Shape: s.Shape, key: key, requests: p.names.perPod(s.Shape.Requests), selectors: sortedKeys(s.Shape.Selector),
			ties: p.tie(s, k, shunned), shunned: shunned}
		p.classes[key] = c
	} else if c.users == 0 {
		p.unused = slices.DeleteFunc(p.unused, func(o *class) bool { return o == c })
	}
	c.users++
	return c
}

// leaveClass to its other users, or forget it after a while.
func (p *Picture) leaveClass(c *class) {
	if c.users--; c.users > 0 {
		return
	}
	if p.unused = append(p.unused, c); len(p.unused) > maxUnused {
		delete(p.classes, p.unused[0].key)
		p.untie(p.unused[0].ties)
		p.unused = slices.Delete(p.unused, 0, 1)
	}
}

func (p *Picture) release(g *gang) {
	for k := range g.sets {
		p.leaveClass(g.sets[k].class)
		p.uncarry(g.sets[k].kin.apart)
	}
}
