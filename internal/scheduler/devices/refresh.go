// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package devices

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// structure is what there is to be told apart: kinds, and of which of them devices are.
type structure struct {
	numbers [maxKinds]*kind
	counted map[kinds]bool
	// excluded are the kinds of devices that are not counted, and why.
	excluded map[exclusion]bool
}

type exclusion struct {
	of    kinds
	cause string
}

func (e exclusion) compare(o exclusion) int {
	return cmp.Or(cmp.Compare(e.cause, o.cause), e.of.compare(o.of))
}

func (s *structure) equal(o *structure) bool {
	return s.numbers == o.numbers && maps.Equal(s.counted, o.counted) && maps.Equal(s.excluded, o.excluded)
}

// union of kinds that is counted as a resource of its own.
type union struct {
	of   kinds
	name string
}

// Changes are what [Census.Refresh] found.
type Changes struct {
	// Nodes that have other resources than before, and claims that take others.
	Nodes  []string
	Claims []types.UID
	// Names says that requests may mean other resources than before, or be possible or not.
	Names bool
}

// Refresh finds out what changed since it was last called.
func (c *Census) Refresh() Changes {
	names := false
	if len(c.stalePools) > 0 || c.staleKinds {
		c.recount()
		names = c.rename()
	}
	for node := range c.newNodes {
		for _, d := range c.nodes[node] {
			if d.held {
				c.newClaims[c.holders[d.id]] = true
			}
		}
	}
	delete(c.newNodes, "")
	out := Changes{slices.Sorted(maps.Keys(c.newNodes)), slices.Sorted(maps.Keys(c.newClaims)), names}
	clear(c.newNodes)
	clear(c.newClaims)
	return out
}

// rename what is counted, if there is something else to be told apart than before.
func (c *Census) rename() bool {
	next := structure{c.numbers, keys(c.counted), keys(c.excluded)}
	if next.equal(&c.structure) {
		return false
	}
	c.structure = next
	c.unions = c.combine()
	clear(c.resources)
	for node := range c.nodes {
		c.newNodes[node] = true
	}
	return true
}

func keys[K comparable](counts map[K]int) map[K]bool {
	set := make(map[K]bool, len(counts))
	for key := range counts {
		set[key] = true
	}
	return set
}

// recount the devices of pools that changed, and of all kinds that did.
func (c *Census) recount() {
	var changed []*kind
	for _, k := range c.inOrder() {
		if k.number < 0 {
			k.number = slices.Index(c.numbers[:], nil) // one may be free by now
			c.enter(k)
		}
		if k.stale && k.number >= 0 {
			changed = append(changed, k)
		}
		k.stale = false
	}
	if len(changed) > 0 {
		for _, d := range c.devices {
			c.resort(d, func() { c.sort(d, changed) })
		}
	}
	for id := range c.stalePools {
		c.relist(id)
	}
	clear(c.stalePools)
	c.staleKinds = false
}

// inOrder are the kinds, classes first: requests are narrower than those.
func (c *Census) inOrder() []*kind {
	var classes, narrower []*kind
	for _, name := range slices.Sorted(maps.Keys(c.kinds)) {
		if k := c.kinds[name]; k.narrower {
			narrower = append(narrower, k)
		} else {
			classes = append(classes, k)
		}
	}
	return append(classes, narrower...)
}

func (c *Census) sort(d *device, into []*kind) {
	for _, k := range into {
		d.sort(k, c.kinds[string(ResourceName(k.class))])
	}
}

// relist the devices of a pool.
func (c *Census) relist(id poolID) {
	p := c.pools[id]
	for _, d := range p.devices {
		delete(c.devices, d.id)
		c.tally(d, -1)
		c.newNodes[d.node] = true
		c.nodes[d.node] = slices.DeleteFunc(c.nodes[d.node], func(o *device) bool { return o == d })
		if len(c.nodes[d.node]) == 0 {
			delete(c.nodes, d.node)
		}
		if d.held {
			c.newClaims[c.holders[d.id]] = true
		}
	}
	if p.devices = p.list(c.names); len(p.slices) == 0 {
		delete(c.pools, id)
	}
	all := slices.DeleteFunc(c.inOrder(), func(k *kind) bool { return k.number < 0 })
	for _, d := range p.devices {
		_, d.held = c.holders[d.id]
		c.sort(d, all)
		c.tally(d, 1)
		c.devices[d.id] = d
		c.nodes[d.node] = append(c.nodes[d.node], d)
		c.newNodes[d.node] = true
	}
}

// resort a device, so that it is counted by what it is then.
func (c *Census) resort(d *device, change func()) {
	before := *d
	if change(); d.of == before.of && d.failed == before.failed {
		return
	}
	c.tally(&before, -1)
	c.tally(d, 1)
	c.newNodes[d.node] = true
}

func (c *Census) tally(d *device, n int) {
	if d.cause == "" {
		add(c.counted, d.of, n)
	} else {
		add(c.excluded, exclusion{d.of, d.cause}, n)
	}
}

func add[K comparable](counts map[K]int, key K, n int) {
	if counts[key] += n; counts[key] == 0 {
		delete(counts, key)
	}
}

// combine kinds whose devices overlap.
func (c *Census) combine() []union {
	there := slices.SortedFunc(maps.Keys(c.structure.counted), kinds.compare)
	var out []union
	for _, u := range unions(there) {
		if u.len() > 1 && !c.ofOneClass(u, there) {
			out = append(out, union{u, "devices of " + short(strings.Join(c.words(u), " or "))})
		}
	}
	return out
}

// ofOneClass says that a union is a class and requests narrower than it, so that the class
// itself is what all of them ask for.
func (c *Census) ofOneClass(u kinds, there []kinds) bool {
	for _, i := range u.list() {
		class := c.numbers[i]
		alone := !class.narrower && !slices.ContainsFunc(u.list(), func(j int) bool { return j != i && !(c.numbers[j].narrower && c.numbers[j].class == class.class) })
		if alone && !slices.ContainsFunc(there, func(of kinds) bool { return of.meets(u) && !of.has(i) }) {
			return true
		}
	}
	return false
}

// words for the kinds of a union, in their order.
func (c *Census) words(u kinds) []string {
	var names []string
	for _, i := range u.list() {
		names = append(names, strings.Replace(c.numbers[i].name, string(ResourceName("")), "", 1))
	}
	slices.Sort(names)
	return names
}
