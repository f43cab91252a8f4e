// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxChildren of a reason; what is beyond is summed up.
const maxChildren = 6

// children say what is wrong with the nodes on which nothing fits.
func children(p *Picture, c *class, found []*group) []Reason {
	var list []Reason
	rest := 0
	for i, g := range found {
		if i >= maxChildren {
			rest += g.nodes
			continue
		}
		list = append(list, Reason{Code: blame(found[i:i+1], 0), Text: p.words(c, g)})
	}
	if rest > 0 {
		list = append(list, Reason{Code: InsufficientResources, Text: plural(rest, "node") + " for other reasons"})
	}
	return list
}

// words of a group: "2 nodes are cordoned".
func (p *Picture) words(c *class, g *group) string {
	are, have, lack, do := "are", "have", "lack", "do"
	if g.nodes == 1 {
		are, have, lack, do = "is", "has", "lacks", "does"
	}
	subject := plural(g.nodes, "node") + " "
	switch g.hurdle {
	case notReady:
		return subject + are + " not ready"
	case cordoned:
		return subject + are + " cordoned"
	case tainted:
		return subject + have + " the taint " + g.what + ", which is not tolerated"
	case unlabelled:
		return subject + lack + " the label " + g.what
	case unlike:
		return subject + do + " not match the node affinity"
	case promised:
		return subject + are + " kept for gangs that were promised to start soon"
	case portInUse:
		return subject + have + " host port " + g.what + " in use"
	}
	if text, is := g.ties(subject, are, have, do); is {
		return text
	}
	if g.hurdle == without {
		return subject + have + " no " + g.what
	}
	return subject + have + " too little " + p.lacking(c, g)
}

// lacking resources of a group and what there is of them: "cpu (0.5 free of 2)".
func (p *Picture) lacking(c *class, g *group) string {
	var parts []string
	for i, r := range c.requests {
		if g.scarce&(1<<i) == 0 {
			continue
		}
		name := p.names.list[r.at]
		free, of := format(name, max(g.most[i], 0)), " free"
		switch {
		case g.nodes == 1:
			of = " free of " + format(name, g.first.alloc.at(r.at))
		case g.most[i] <= 0:
			free = "none"
		default:
			free = "at most " + free
		}
		if name == pods {
			name = "room for another pod"
		}
		parts = append(parts, name+" ("+free+of+")")
	}
	return enumerate(parts)
}

// wish in words: "4 pods of 2 cpu and 1 nvidia.com/gpu each at once".
func (c *class) wish(count int32) string {
	var parts []string
	for _, name := range sortedKeys(c.Requests) {
		if n := c.Requests[name]; n > 0 && name != pods && !Beside(name) {
			parts = append(parts, format(name, n)+" "+name)
		}
	}
	of := ""
	if len(parts) > 0 {
		of = " of " + enumerate(parts)
	}
	switch {
	case count == 1:
		return "1 pod" + of
	case of == "":
		return plural(count, "pod") + " at once"
	}
	return plural(count, "pod") + of + " each at once"
}

// wish for places close to one another, of so many pods.
func (t Topology) wish(count int32) string {
	var b strings.Builder
	if t.Required != "" && count > 1 {
		b.WriteString(" in one " + t.Required)
	}
	if t.Slice > 1 && count > 1 {
		fmt.Fprintf(&b, ", every %d in one %s", t.Slice, t.SliceLabel)
	}
	return b.String()
}

// remedy for set k, of which only so many pods find room on the empty cluster.
func (t *trial) remedy(k int, room int64) string {
	s, few := &t.g.sets[k], "ask for fewer pods"
	if room > 0 {
		few = "ask for at most " + plural(room, "pod")
	}
	if len(t.g.sets) > 1 {
		few += " in pod set " + s.Name
	}
	s.class.sync(t.p)
	like := t.roomiest(s.class)
	each := int64(s.class.fits[like.index].pods)
	switch {
	case s.class.ties.block():
		return "change its pod affinity, anti-affinity or topology spread constraints, or the labels of nodes"
	case s.class.total == 0:
		return t.admit(s)
	case s.Topology.Required != "" && room == 0:
		return fmt.Sprintf("label nodes with %s, or ask for no topology", s.Topology.Required)
	case s.Topology.Required != "":
		return fmt.Sprintf("%s, make the topology preferred, or have a larger %s", few, s.Topology.Required)
	case s.Topology.Slice > 0 && s.class.total >= int64(t.need[k]):
		return fmt.Sprintf("%s, ask for smaller slices, or have larger domains of %s", few, s.Topology.SliceLabel)
	}
	more := (int64(t.need[k]) - room + each - 1) / each
	return fmt.Sprintf("%s, or add %s like %s", few, plural(more, "node"), like.Name)
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

// admit says how a pod must change for a single one to fit anywhere.
func (t *trial) admit(s *set) string {
	admitting := slices.DeleteFunc(slices.Clone(t.p.nodes), func(n *node) bool { return !s.class.admits(n) })
	if len(admitting) == 0 {
		return "change its node selector, affinity or tolerations, or the labels and taints of a node"
	}
	var most, want []string
	for _, r := range s.class.requests {
		largest := int64(0)
		for _, n := range admitting {
			largest = max(largest, n.alloc.at(r.at))
		}
		if largest >= r.n {
			continue
		}
		name := t.p.names.list[r.at]
		want = append(want, format(name, r.n)+" "+name)
		if largest > 0 {
			most = append(most, format(name, largest)+" "+name)
		}
	}
	switch {
	case len(want) == 0:
		return "ask for less per pod, or add a node that has all of it at once"
	case len(most) < len(want):
		return "add a node that has " + enumerate(want)
	}
	return "ask for at most " + enumerate(most) + " per pod, or add a node that has " + enumerate(want)
}

// format a quantity for people, rounded down: "0.5" cores, "1.5Gi", "8".
func format(name string, n int64) string {
	switch {
	case name == cpu:
		return strconv.FormatFloat(float64(n)/1000, 'f', -1, 64)
	case name == "memory" || name == "ephemeral-storage" || strings.HasPrefix(name, "hugepages-"):
		return formatBytes(n)
	}
	return strconv.FormatInt(n, 10)
}

func formatBytes(n int64) string {
	for i, unit := range []string{"Ti", "Gi", "Mi", "Ki"} {
		size := int64(1) << (40 - 10*i)
		if n < size {
			continue
		}
		if tenths := n % size * 10 / size; tenths > 0 {
			return fmt.Sprintf("%d.%d%s", n/size, tenths, unit)
		}
		return fmt.Sprintf("%d%s", n/size, unit)
	}
	return strconv.FormatInt(n, 10)
}

func plural[N int | int32 | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// enumerate: "a, b and c".
func enumerate(list []string) string {
	last := len(list) - 1
	if last < 1 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:last], ", ") + " and " + list[last]
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
