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
