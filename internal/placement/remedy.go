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
		like := t.roomiest(s.class)
		each := int64(s.class.fits[like.index].pods)
		more = fmt.Sprintf("add %s like %s", plural((int64(t.need[k])-room+each-1)/each, "node"), like.Name)
	}
	return few + ", or " + more + raised(" and ", over)
}

// fewer pods of set k: as many as there is room for, within the limits.
func (t *trial) fewer(k int, room int64, over []excess) string {
	s := &t.g.sets[k]
	for _, e := range over {
		if each := s.class.request(t.p.names.of(e.quota.Resource)); each > 0 {
			others := e.asks - each*int64(t.need[k])
			room = min(room, max(e.quota.Limit-others, 0)/each)
		}
	}
	few := "ask for fewer pods"
	if room > 0 {
		few = "ask for at most " + plural(room, "pod")
	}
	if len(t.g.sets) > 1 {
		few += " in pod set " + s.Name
	}
	return few
}

// raised limits, each to what the gang asks for.
func raised(and string, over []excess) string {
	var all []string
	for _, e := range over {
		all = append(all, fmt.Sprintf("the limit of project %s to %s %s", e.queue.Name, format(e.quota.Resource, e.asks), e.quota.Resource))
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
	admitting := slices.DeleteFunc(slices.Clone(t.p.nodes), func(n *node) bool { return !c.admits(n) })
	if len(admitting) == 0 {
		return "change its node selector, affinity or tolerations, or the labels and taints of a node" + raised(", and ", over)
	}
	scarce := c.scarce(admitting)
	if len(scarce) == 0 {
		return "ask for less per pod, or " + t.add(c.requests, admitting) + raised(" and ", over)
	}
	var most []string
	for _, r := range scarce {
		if n := t.most(c, r, scarce, admitting, over); n > 0 {
			name := t.p.names.list[r.at]
			most = append(most, format(name, n)+" "+name)
		}
	}
	more := t.add(scarce, admitting) + raised(" and ", over)
	if len(most) < len(scarce) {
		return more
	}
	return "ask for at most " + enumerate(most) + " per pod, or " + more
}

// scarce requests: no node has so much of that.
func (c *class) scarce(nodes []*node) []amount {
	return slices.DeleteFunc(slices.Clone(c.requests), func(r amount) bool {
		return slices.ContainsFunc(nodes, func(n *node) bool { return n.alloc.at(r.at) >= r.n })
	})
}

// add nodes, one for each pod that none of those that are there holds: these amounts of what
// pods of the one class lack, and of those of other sets what they do.
func (t *trial) add(lacks []amount, admitting []*node) string {
	var kinds []string
	counts := map[string]int32{}
	for k := range t.g.sets {
		c := t.g.sets[k].class
		c.sync(t.p)
		if c.total > 0 || t.need[k] == 0 {
			continue
		}
		wants := c.scarce(admitting)
		if len(wants) == 0 {
			wants = lacks
		}
		var has []string
		for _, r := range wants {
			if name := t.p.names.list[r.at]; name != pods && !Beside(name) {
				has = append(has, format(name, r.n)+" "+name)
			}
		}
		kind := enumerate(has)
		if counts[kind] == 0 {
			kinds = append(kinds, kind)
		}
		counts[kind] += t.need[k]
	}
	for i, kind := range kinds {
		if n := counts[kind]; n == 1 {
			kinds[i] = "a node that has " + kind
		} else {
			kinds[i] = fmt.Sprintf("%s that have %s each", plural(n, "node"), kind)
		}
	}
	return "add " + strings.Join(kinds, " and ")
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
