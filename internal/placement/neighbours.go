// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"math"
	"slices"
)

// ties of the pods of a class to pods that are on nodes already, of the same gang or of
// others, as Kubernetes means required pod affinity, anti-affinity and topology spread
// constraints. Every rule remembers how many of the pods that it is about each node
// holds, and looks again only at nodes that were touched; what that changes for other
// nodes is looked at once for all of them (sift).
type ties struct {
	kin kin
	// rules that the class's pods wish for, and then those of others that shun them, which
	// are right for the turn of the registry.
	rules   []*rule
	wishes  int
	shunned bool
	turn    uint64
	// base is what fits on each node, the rules apart.
	base []fit
	// facts of the Picture that levels are right for.
	facts uint64
	// stale says that what rules allow changed on nodes that were not touched.
	stale bool
}

type ruleKind int

const (
	// away from peers, and shunned by pods that want to be apart from this one.
	away ruleKind = iota
	shunned
	// near to a peer, unless there is none and this pod is one.
	near
	// even division among domains.
	even
	// preferred to be beside peers, or not to be: it forbids nothing (sway.go).
	preferred
)

// rule about pods with a mark.
type rule struct {
	kind ruleKind
	mark *mark
	// also are more marks that mean the same, if any, in order.
	also []int32
	// own says that the class's pods have the mark themselves.
	own bool
	// waived is what the empty cluster cannot have: pods of others to be near to.
	waived   bool
	keys     []string // of labels, one unless near
	peers    string   // in words
	evenness *Evenness
	// preference of a rule that only prefers.
	preference *PeerPreference

	levels  []*level // by key
	seen    []int32  // pods with the mark, by node.index
	counts  [][]int  // the same by key and domain
	total   int      // of all counts
	sizes   []int32  // nodes of each domain of the first key that count
	counted []bool   // which nodes do, of an even division
	least   int      // of any domain, of an even division
}

// outdated says that everything must be counted anew.
func (t *ties) outdated(p *Picture) bool {
	return t != nil && (t.facts != p.facts || t.shunned && t.turn != p.marks.turns)
}

// begin to count.
func (t *ties) begin(p *Picture, c *class) {
	if t == nil {
		return
	}
	t.base, t.facts, t.stale = make([]fit, len(p.nodes)), p.facts, true
	if t.rules, t.turn = t.rules[:t.wishes:t.wishes], p.marks.turns; t.shunned {
		t.rules = append(t.rules, p.shunRules(c)...)
	}
	for _, r := range t.rules {
		r.seen, r.levels, r.counts, r.total = make([]int32, len(p.nodes)), nil, nil, 0
		for _, key := range r.keys {
			l := p.level(key)
			r.levels = append(r.levels, l)
			r.counts = append(r.counts, make([]int, len(l.names)))
		}
		r.sizes = make([]int32, len(r.levels[0].names))
		r.counted = make([]bool, len(p.nodes))
		for i, d := range r.levels[0].of {
			if r.counted[i] = d >= 0 && (r.kind != even || c.divides(r.evenness, p.nodes[i])); r.counted[i] {
				r.sizes[d]++
			}
		}
	}
}

// divides says that a node counts for an even division.
func (c *class) divides(e *Evenness, n *node) bool {
	for _, e := range c.Even {
		if _, labelled := n.Labels[e.Key]; !labelled {
			return false
		}
	}
	if !e.AnyNode && !c.selects(n) {
		return false
	}
	return !e.Untainted || !slices.ContainsFunc(n.Taints, func(taint Taint) bool {
		return taint.Effect != PreferNoSchedule && !slices.ContainsFunc(c.Tolerations, func(t Toleration) bool { return t.tolerates(taint) })
	})
}

// refit says how much of what would fit on a node the rules allow, counting what is
// there anew.
func (t *ties) refit(n *node, now fit) fit {
	if t == nil {
		return now
	}
	t.base[n.index] = now
	t.stale = t.recount(n) || t.stale
	return t.limit(n.index)
}

// limit of what fits on a node.
func (t *ties) limit(i int) fit {
	now := t.base[i]
	for _, r := range t.rules {
		if now.pods == 0 {
			break
		}
		now.pods = min(now.pods, r.allows(i))
	}
	if now.pods == 0 {
		return fit{}
	}
	return fit{now.pods, t.sway(i, now.order)}
}

// sift out on all nodes what the rules do not allow any longer, and let in what they do.
func (c *class) sift() {
	if c.ties == nil || !c.ties.stale {
		return
	}
	c.ties.stale = false
	for _, r := range c.ties.rules {
		r.least = r.fewest()
	}
	for i := range c.fits {
		c.put(i, c.ties.limit(i))
	}
}

// fewest pods in any domain of an even division.
func (r *rule) fewest() int {
	if r.kind != even {
		return 0
	}
	least, domains := math.MaxInt, 0
	for d, size := range r.sizes {
		if size > 0 {
			least, domains = min(least, r.counts[0][d]), domains+1
		}
	}
	if domains == 0 || domains < int(r.evenness.MinDomains) {
		return 0
	}
	return least
}

// recount the pods on a node, and say whether other nodes are concerned.
func (r *rule) recount(n *node) bool {
	i := n.index
	more := r.marked(n) - int(r.seen[i])
	if more == 0 || r.kind == even && !r.counted[i] {
		return false
	}
	r.seen[i] += int32(more)
	none, concerned := r.total == 0, r.kind == even
	for k, l := range r.levels {
		d := l.of[i]
		if d < 0 {
			continue
		}
		was := r.counts[k][d]
		r.counts[k][d] += more
		r.total += more
		first := (was == 0) != (r.counts[k][d] == 0)
		if (first || r.kind == preferred) && (k > 0 || r.sizes[d] > 1) {
			concerned = true
		}
	}
	return concerned || r.kind == near && none != (r.total == 0)
}

// marked pods on a node.
func (r *rule) marked(n *node) int {
	return int(n.marks.of(r.mark.id)) + n.marks.among(r.also)
}

// allows so many more pods on a node.
func (r *rule) allows(i int) int32 {
	d := r.levels[0].of[i]
	switch r.kind {
	case preferred:
	case near:
		if !r.near(i, 0) {
			return 0
		}
	case even:
		if d < 0 {
			return 0
		}
		room := int(r.evenness.MaxSkew) + r.least - r.counts[0][d]
		switch {
		case room < 0 || r.own && room == 0:
			return 0
		case r.own && r.counted[i]:
			return int32(min(room, maxPods))
		}
	default:
		switch {
		case d < 0:
		case r.counts[0][d] > 0:
			return 0
		case r.own:
			return 1
		}
	}
	return maxPods
}

// near says that there are peers in all domains of a node, but for so many pods of the
// class on it, or that there are none anywhere and the class's pods are peers.
func (r *rule) near(i, but int) bool {
	found := true
	for k, l := range r.levels {
		d := l.of[i]
		if d < 0 {
			return false
		}
		found = found && r.counts[k][d] > but
	}
	return found || r.waived || r.own && r.total == but*len(r.levels)
}

// recount the pods on a node, and say whether other nodes are concerned.
func (t *ties) recount(n *node) bool {
	concerned := false
	if t != nil {
		for _, r := range t.rules {
			concerned = r.recount(n) || concerned
		}
	}
	return concerned
}

// suits says that so many pods of the class, which are counted on the node already, may
// be there.
func (t *ties) suits(n *node, pods int32) bool {
	return t == nil || !slices.ContainsFunc(t.rules, func(r *rule) bool { return !r.suits(n.index, int(pods)) })
}

func (r *rule) suits(i, pods int) bool {
	d := r.levels[0].of[i]
	if !r.own {
		return r.allows(i) > 0
	}
	switch {
	case r.kind == preferred:
		return true
	case r.kind == near:
		return r.near(i, pods)
	case r.kind == even && !r.counted[i]:
		return r.allows(i) > 0
	case r.kind == even:
		return r.counts[0][d]-r.least <= int(r.evenness.MaxSkew)
	}
	return d < 0 || pods == 1 && r.counts[0][d] <= 1
}

// chooses says that the first of the class's pods to get a place is the one that all
// others must be near to, and of which label it thereby chooses the domain; empty if there is no such.
func (t *ties) chooses() string {
	if t == nil {
		return ""
	}
	for _, r := range t.rules {
		if r.kind == near && r.own && r.total == 0 {
			finest := 0
			for k, l := range r.levels {
				if len(l.names) > len(r.levels[finest].names) {
					finest = k
				}
			}
			return r.keys[finest]
		}
	}
	return ""
}

// grow says that places that are taken make room for others.
func (t *ties) grow() bool {
	return t != nil && slices.ContainsFunc(t.rules, func(r *rule) bool { return r.kind == even && r.own })
}

// bounds of what fits on each node until the rest of a set has its places.
func (c *class) bounds() []fit {
	if c.ties.grow() {
		return c.ties.base
	}
	return c.fits
}

// most pods of the class for which there may be room.
func (c *class) most() int64 {
	if !c.ties.grow() {
		return c.total
	}
	most := int64(0)
	for _, f := range c.ties.base {
		most += int64(f.pods)
	}
	return most
}

// follows is how many other sets of the gang must have places before a set can be near
// to one of them.
func (t *trial) follows() []int {
	after := make([]int, len(t.g.sets))
	leaning := t.leaning()
	for changed := len(leaning) > 0; changed; {
		changed = false
		for _, l := range leaning {
			// In a circle nobody comes first, and all end up with as many as there are.
			if next := min(after[l.on]+1, len(t.g.sets)); next > after[l.set] {
				after[l.set], changed = next, true
			}
		}
	}
	return after
}

// lean of a set on another one, to whose pods its own must be near.
type lean struct{ set, on int }

// maxLeans bounds what it costs to sort sets that all lean on one another.
const maxLeans = 1 << 12

// leaning are the leans among the sets of the gang.
func (t *trial) leaning() []lean {
	var all []lean
	bearers := map[int32][]int{}
	for k := range t.g.sets {
		for _, r := range t.g.sets[k].class.ties.leans() {
			if _, known := bearers[r.mark.id]; !known {
				bearers[r.mark.id] = t.bearers(r.mark.id)
			}
			for _, on := range bearers[r.mark.id] {
				if all = append(all, lean{k, on}); len(all) == maxLeans {
					return all
				}
			}
		}
	}
	return all
}

// bearers of a mark are the sets whose pods have it.
func (t *trial) bearers(mark int32) []int {
	var sets []int
	for k := range t.g.sets {
		if slices.Contains(t.g.sets[k].marks, mark) {
			sets = append(sets, k)
		}
	}
	return sets
}

// leans are the rules by which pods must be near to others, of which they are none.
func (t *ties) leans() []*rule {
	var found []*rule
	if t != nil {
		for _, r := range t.rules {
			if r.kind == near && !r.own {
				found = append(found, r)
			}
		}
	}
	return found
}
