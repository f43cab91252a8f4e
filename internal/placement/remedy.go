// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// remedy for set k, of which only so many pods find room on the empty cluster: to ask for
// less, or to have more. Whichever a person does is to be enough, for all pods and for the
// limits that the gang breaks as well.
func (t *trial) remedy(k int, room int64, over []excess) string {
	s := &t.g.sets[k]
	s.class.sync(t.p)
	switch {
	case s.class.ties.block():
		return "change its pod affinity, anti-affinity or topology spread constraints, or the labels of nodes" + raised(", and ", over)
	case s.class.total == 0:
		return t.admit(k, over)
	}
	if kinds := t.brokenOnKinds(); len(kinds) > 0 {
		return t.fewerOr(k, room, over) + raised("", slices.Concat(kinds, over))
	}
	few, more := t.fewer(k, room, over), ""
	switch {
	case s.Topology.Required != "" && room == 0:
		return fmt.Sprintf("label nodes with %s, or ask for no topology", s.Topology.Required) + raised(", and ", over)
	case s.Topology.Required != "":
		few += ", make the topology preferred"
		more = "have a larger " + s.Topology.Required
	case s.Topology.Slice > 0 && s.class.total >= int64(t.need[k]):
		few += ", ask for smaller slices"
		more = "have larger domains of " + s.Topology.SliceLabel
	default:
		nodes, kinds := t.adding()
		if nodes == "" {
			s.class.sync(t.p)
			like := t.roomiest(s.class)
			nodes = "nodes like " + like.Name
			if each := int64(max(s.class.fits[like.index].pods, 1)); t.simple() {
				nodes = fmt.Sprintf("%s like %s", plural((int64(t.need[k])-room+each-1)/each, "node"), like.Name)
			}
		}
		more, over = "add "+nodes, slices.Concat(kinds, over)
	}
	return few + ", or " + more + raised(" and ", over)
}

// fewer pods of set k: as many as there is room for, within the limits; or of the sets that take all of
// it; or of all of them.
func (t *trial) fewer(k int, room int64, over []excess) string {
	s := &t.g.sets[k]
	for _, e := range over {
		if each := s.class.request(t.p.names.of(e.quota.Resource)); each > 0 {
			others := e.asks - each*int64(t.need[k])
			room = min(room, max(e.quota.Limit-others, 0)/each)
		}
	}
	few, of := "ask for fewer pods", t.namesOf(t.sequence())
	if most := t.atMost(k, room); most > 0 {
		few, of = "ask for at most "+plural(most, "pod"), []string{s.Name}
	} else if before := t.before(k); room == 0 && t.fitsWithout(before) {
		of = t.namesOf(before)
	}
	switch {
	case len(of) > 1:
		few += " in pod sets " + enumerate(of)
	case len(t.g.sets) > 1:
		few += " in pod set " + of[0]
	}
	return few
}

// fewerOr is that with an alternative, where fewer pods of set k help at all.
func (t *trial) fewerOr(k int, room int64, over []excess) string {
	if t.atMost(k, room) == 0 {
		return ""
	}
	return t.fewer(k, room, over) + ", or "
}

// before set k are the sets that are given places sooner.
func (t *trial) before(k int) []int {
	order := t.sequence()
	return order[:slices.Index(order, k)]
}

// namesOf sets, in the order of the gang.
func (t *trial) namesOf(sets []int) []string {
	var names []string
	for _, k := range slices.Sorted(slices.Values(sets)) {
		names = append(names, t.g.sets[k].Name)
	}
	return names
}

// raised limits, each to what the gang asks for.
func raised(and string, over []excess) string {
	var all []string
	for _, e := range over {
		limit := fmt.Sprintf("the limit of project %s to %s %s", e.queue.Name, format(e.quota.Resource, e.asks), e.quota.Resource)
		if e.quota.Kind != "" {
			limit += " on nodes of kind " + e.quota.Kind
		}
		all = append(all, limit)
	}
	if len(all) == 0 {
		return ""
	}
	return and + "raise " + enumerate(all)
}

// tooLow are limits for a gang that has its projects to itself.
func tooLow(over []excess) *Reason {
	var needs, most []string
	lowest := map[string]int64{}
	for _, e := range over {
		name := e.quota.Resource
		if limit, known := lowest[name]; !known || e.quota.Limit < limit {
			lowest[name] = e.quota.Limit
		}
		needs = append(needs, fmt.Sprintf("needs %s %s; project %s may use %s", format(name, e.asks), name, e.queue.Name, format(name, e.quota.Limit)))
	}
	for _, name := range sortedKeys(lowest) {
		most = append(most, format(name, lowest[name])+" "+name)
	}
	return &Reason{Code: QuotaExceeded, Text: strings.Join(needs, ", and "), Remedy: "ask for at most " + enumerate(most) + raised(", or ", over)}
}

// roomiest node for pods of the class.
func (t *trial) roomiest(c *class) *node {
	best := 0
	for i := range c.fits {
		if c.fits[i].pods > c.fits[best].pods {
			best = i
		}
	}
	return t.p.nodes[best]
}

// admit says what is needed for pods of which no node holds a single one.
func (t *trial) admit(k int, over []excess) string {
	c := t.g.sets[k].class
	admitting := t.admitting(c)
	switch {
	case len(admitting) > 0:
	case c.unlabelled(t.p.nodes):
		return "label nodes with " + enumerate(c.labels()) + ", or change its node selector" + raised(", and ", over)
	default:
		return "change its node selector, affinity or tolerations, or the labels and taints of a node" + raised(", and ", over)
	}
	scarce := c.scarce(admitting)
	if len(scarce) == 0 {
		return "ask for less per pod, or " + t.add() + raised(" and ", over)
	}
	var most []string
	for _, r := range scarce {
		if n := t.most(c, r, scarce, admitting, over); n > 0 {
			name := t.p.names.list[r.at]
			most = append(most, format(name, n)+" "+name)
		}
	}
	more := t.add() + raised(" and ", over)
	if len(most) < len(scarce) || t.others(c) {
		return more
	}
	return "ask for at most " + enumerate(most) + " per pod, or " + more
}

// others than the pods of a class, of the same gang, find no node either.
func (t *trial) others(c *class) bool {
	for k := range t.g.sets {
		if o := t.g.sets[k].class; o != c && t.need[k] > 0 {
			if o.sync(t.p); o.total == 0 {
				return true
			}
		}
	}
	return false
}

// admitting nodes take pods of a class if they have room.
func (t *trial) admitting(c *class) []*node {
	return slices.DeleteFunc(slices.Clone(t.p.nodes), func(n *node) bool { return !c.admits(n) })
}

// unlabelled says that no node has the labels of the class's selector.
func (c *class) unlabelled(nodes []*node) bool {
	return len(c.selectors) > 0 && !slices.ContainsFunc(nodes, func(n *node) bool {
		_, missing := c.missingLabel(n)
		return !missing
	})
}

// labels of the selector, as people write them.
func (c *class) labels() []string {
	var labels []string
	for _, key := range c.selectors {
		labels = append(labels, key+"="+c.Selector[key])
	}
	return labels
}

// scarce requests: no node has so much of that.
func (c *class) scarce(nodes []*node) []amount {
	return slices.DeleteFunc(slices.Clone(c.requests), func(r amount) bool {
		return slices.ContainsFunc(nodes, func(n *node) bool { return n.alloc.at(r.at) >= r.n })
	})
}

// add nodes, one for each pod that none of those that are there holds, of whichever set.
func (t *trial) add() string {
	var kinds []addition
	counts := map[addition]int32{}
	for k := range t.g.sets {
		c := t.g.sets[k].class
		if c.sync(t.p); c.total > 0 || t.need[k] == 0 {
			continue
		}
		kind := t.addition(c)
		if counts[kind] == 0 {
			kinds = append(kinds, kind)
		}
		counts[kind] += t.need[k]
	}
	var all []string
	for _, kind := range kinds {
		all = append(all, kind.words(counts[kind]))
	}
	return "add " + strings.Join(all, " and ")
}

// addition is a kind of node to add: its labels, and what it has.
type addition struct{ labels, has string }

// addition for pods of a class: of which nodes that admit them have too little or, if there are
// none or no single one has enough of everything, all.
func (t *trial) addition(c *class) addition {
	lacks := c.scarce(t.admitting(c))
	if len(lacks) == 0 {
		lacks = c.requests
	}
	var has []string
	for _, r := range lacks {
		if name := t.p.names.list[r.at]; name != pods && !Beside(name) {
			has = append(has, format(name, r.n)+" "+name)
		}
	}
	return addition{enumerate(c.labels()), enumerate(has)}
}

func (a addition) words(count int32) string {
	text, has, each := "a node", " that has ", ""
	if count > 1 {
		text, has, each = plural(count, "node"), " that have ", " each"
	}
	if a.labels != "" {
		text += " labelled " + a.labels
	}
	if a.has != "" {
		text += has + a.has + each
	}
	return text
}

// most of a resource that each pod of a class may ask for so that all of them find room on
// nodes, and break no limit.
func (t *trial) most(c *class, asked amount, scarce []amount, nodes []*node, over []excess) int64 {
	need, largest := int64(0), int64(0)
	for k := range t.g.sets {
		if t.g.sets[k].class == c {
			need += int64(t.need[k])
		}
	}
	for _, n := range nodes {
		largest = max(largest, n.alloc.at(asked.at))
	}
	for _, e := range over {
		if e.quota.Resource == t.p.names.list[asked.at] {
			largest = min(largest, max(e.quota.Limit-(e.asks-asked.n*need), 0)/need)
		}
	}
	return largest - int64(sort.Search(int(largest), func(less int) bool {
		return c.roomWith(amount{asked.at, largest - int64(less)}, scarce, nodes) >= need
	}))
}

// roomWith is how many pods nodes hold if each asks for so much of one scarce resource, and
// for nothing else that is.
func (c *class) roomWith(asks amount, scarce []amount, nodes []*node) int64 {
	total := int64(0)
	for _, n := range nodes {
		room := n.alloc.at(asks.at) / asks.n
		for _, r := range c.requests {
			if r.n > 0 && !slices.Contains(scarce, r) {
				room = min(room, n.alloc.at(r.at)/r.n)
			}
		}
		total += room
	}
	return total
}
