// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"fmt"
	"slices"
)

// explain why so many pods of each set find no place: it goes the first way that fill
// tried and reports on the set that got stuck.
func (p *Picture) explain(g *gang, need []int32) *Reason { return p.explainNever(g, need, nil) }

// explainNever does so on the empty cluster for a gang that breaks limits, too, so that neither
// more room nor other limits alone help it.
func (p *Picture) explainNever(g *gang, need []int32, over []excess) *Reason {
	if len(p.nodes) == 0 {
		return &Reason{Code: NoNodes, Text: "the cluster has no nodes yet"}
	}
	t := p.trial(g, need)
	defer t.cancel()
	for i, k := range t.sequence() {
		mark := len(t.moves)
		t.g.sets[k].class.sync(p)
		if !t.first(k) {
			t.undo(mark)
			return t.shortage(k, i > 0, over)
		}
	}
	return &Reason{Code: InsufficientResources, Text: "needs all its pods at once, and no way to place them was found"}
}

// first way to place a set.
func (t *trial) first(k int) bool {
	for r := range t.routes(k, t.need[k]) {
		return t.pack(k, r)
	}
	return false
}

// shortage of room for set k, after other sets took theirs.
func (t *trial) shortage(k int, beside bool, over []excess) *Reason {
	s, need := &t.g.sets[k], t.need[k]
	s.class.sync(t.p)
	found := t.p.obstacles(s.class)
	room, label, where := t.available(k)
	code := blame(found, s.class.total)
	if s.Topology.bound() && s.class.total >= int64(need) {
		code = InsufficientTopology
	}
	text := t.g.subject(s) + "needs " + s.class.wish(need) + s.Topology.wish(need) + "; " + t.fit(room, label, where)
	if beside {
		text += " beside the gang's other pods"
	}
	reason := &Reason{Code: code, Text: text, Because: children(t.p, s.class, found)}
	if limits := t.kindLimits(k); len(limits) > 0 && !s.Topology.bound() && s.class.total >= int64(need) {
		reason.Code, reason.Queue, reason.Because = QuotaExceeded, limits[0].Queue, append(limits, reason.Because...)
	}
	if t.p.empty == nil {
		t.undo(0)
		reason.Code, reason.Remedy = NeverFits, t.remedy(k, room, over)
	}
	return reason
}

// bound says that more than room decides.
func (t Topology) bound() bool { return t.Required != "" || t.Slice > 0 }

// available is how many pods of a set there is room for and, if it has to be one, in
// which domain of which label.
func (t *trial) available(k int) (room int64, label, where string) {
	s := &t.g.sets[k]
	if s.Topology.Slice > 0 {
		l := t.p.level(s.Topology.SliceLabel)
		if todo := t.chunks(k, l); len(todo) > 0 && todo[0].rooted {
			for i := range (area{todo[0].home}).indices(t.p) {
				room += int64(s.class.fits[i].pods)
			}
			return room, s.Topology.SliceLabel, l.names[todo[0].home.id]
		}
		for _, pods := range t.room(k, l, nil) {
			room += pods
		}
	}
	switch {
	case s.Topology.Required != "":
		room, where = t.bestDomain(k)
		return room, s.Topology.Required, where
	case s.Topology.Slice > 0:
		return room, "", ""
	}
	return t.fitting(k), "", ""
}

// bestDomain that a set with a required topology can have: its room and its name,
// which is empty when there is none.
func (t *trial) bestDomain(k int) (int64, string) {
	l := t.p.level(t.g.sets[k].Topology.Required)
	room := t.room(k, l, nil)
	if home, rooted := t.home(k, l); rooted {
		return room[home.id], l.names[home.id]
	}
	best, where := int64(0), ""
	for id := range room {
		if room[id] > best {
			best, where = room[id], l.names[id]
		}
	}
	return best, where
}

// subject names the set where there are several.
func (g *gang) subject(s *set) string {
	if len(g.sets) == 1 {
		return ""
	}
	return "pod set " + s.Name + " "
}

// fit says how many pods have room, and where: in a domain of a label, or in none.
func (t *trial) fit(room int64, label, where string) string {
	when := "now"
	if t.p.empty == nil {
		when = "on the empty cluster"
	}
	switch {
	case where != "" && room == 0:
		return fmt.Sprintf("the %s of the others, %s, has no room %s", label, where, when)
	case where != "":
		return fmt.Sprintf("the best %s, %s, has room for %d %s", label, where, room, when)
	case label != "":
		return fmt.Sprintf("no node with the label %s has room %s", label, when)
	case room == 0:
		return "none fits " + when
	case room == 1:
		return "1 fits " + when
	}
	return fmt.Sprintf("%d fit %s", room, when)
}

// hurdle is what keeps a pod off a node.
type hurdle int

// Hurdles in the order in which they are looked at.
const (
	notReady hurdle = iota
	cordoned
	tainted
	unlabelled
	unlike
	portInUse
	keptAway
	shunnedThere
	lonely
	uneven
	promised
	without
	short
)

// obstacle is a hurdle with its particulars: a taint, a label, a port, or which
// of class.requests there is too little of, a bit for each.
type obstacle struct {
	hurdle hurdle
	what   string
	scarce uint64
	// key of the domains that ties to other pods are about.
	key string
}

// group of nodes with the same obstacle.
type group struct {
	obstacle
	nodes int
	first *node
	// most that is free on any of them, by position in class.requests.
	most []int64
}

// obstacles of all nodes on which no pod of the class fits, most frequent first. A thousand
// gangs whose pods ask for the same may come at once: what was seen is seen until something
// changes, but for what depends on other pods.
func (p *Picture) obstacles(c *class) []*group {
	if c.ties != nil {
		return p.search(c)
	}
	if s := &c.sight; s.groups == nil || s.members != p.members || s.version != p.version {
		*s = sight{p.search(c), p.members, p.version}
	}
	return c.sight.groups
}

// sight of the obstacles of a class, in a version of the Picture.
type sight struct {
	groups           []*group
	members, version uint64
}

// search all nodes for obstacles.
func (p *Picture) search(c *class) []*group {
	groups := map[obstacle]*group{}
	var list []*group
	for i, n := range p.nodes {
		if c.fits[i].pods > 0 {
			continue
		}
		o := p.obstacle(c, n)
		g := groups[o]
		if g == nil {
			g = &group{obstacle: o, first: n, most: make([]int64, len(c.requests))}
			groups[o] = g
			list = append(list, g)
		}
		g.nodes++
		for j, r := range c.requests {
			g.most[j] = max(g.most[j], n.free(r.at))
		}
	}
	slices.SortStableFunc(list, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.nodes, a.nodes), cmp.Compare(b.hurdle, a.hurdle), cmp.Compare(a.what, b.what), cmp.Compare(a.scarce, b.scarce))
	})
	return list
}

func (p *Picture) obstacle(c *class, n *node) obstacle {
	if !n.Ready {
		return obstacle{hurdle: notReady}
	}
	if n.cordon(c.Tolerations) {
		return obstacle{hurdle: cordoned}
	}
	for _, effect := range []string{NoSchedule, NoExecute} {
		if t, found := n.taint(effect, c.Tolerations); found {
			return obstacle{hurdle: tainted, what: t.String()}
		}
	}
	if label, missing := c.missingLabel(n); missing {
		return obstacle{hurdle: unlabelled, what: label}
	}
	if !c.selects(n) {
		return obstacle{hurdle: unlike}
	}
	if port, taken := n.portTaken(c.HostPorts); taken {
		return obstacle{hurdle: portInUse, what: fmt.Sprintf("%d/%s", port.Port, port.Protocol)}
	}
	if o, is := c.ties.obstacle(n); is {
		return o
	}
	o, promises := obstacle{hurdle: short}, true
	for i, r := range c.requests {
		if n.alloc.at(r.at) == 0 {
			return obstacle{hurdle: without, what: p.names.list[r.at]}
		}
		if n.free(r.at) < r.n {
			o.scarce |= 1 << i
			promises = promises && n.free(r.at)+n.kept.at(r.at) >= r.n
		}
	}
	if promises {
		return obstacle{hurdle: promised}
	}
	return o
}

func (c *class) missingLabel(n *node) (string, bool) {
	for _, key := range c.selectors {
		if have, ok := n.Labels[key]; !ok || have != c.Selector[key] {
			return key + "=" + c.Selector[key], true
		}
	}
	return "", false
}

// blame the obstacle that stands for the others in a condition's reason.
func blame(found []*group, room int64) Code {
	code := NoMatchingNode
	for _, g := range found {
		switch {
		case g.hurdle >= portInUse:
			return InsufficientResources
		case g.hurdle <= cordoned:
			code = NodesUnavailable
		}
	}
	if room > 0 {
		return InsufficientResources
	}
	return code
}
