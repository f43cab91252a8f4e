// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"maps"
	"slices"
)

// Node as the API server has it. Its maps and slices are kept and must not be
// changed afterwards.
type Node struct {
	Name   string
	Labels map[string]string
	Taints []Taint
	// Cordoned nodes keep what runs there and take nothing new, except from a set
	// that tolerates the taint node.kubernetes.io/unschedulable.
	Cordoned bool
	// Ready is false for a node whose kubelet does not answer or is not well. It
	// takes nothing new; what is there is lost by a taint.
	Ready bool
	// Allocatable, "pods" included.
	Allocatable Resources
	// Kind that quotas may name, such as the type of the node's GPUs; empty for one
	// of no kind.
	Kind string
}

func (n *Node) equal(o *Node) bool {
	return n.Name == o.Name && n.Cordoned == o.Cordoned && n.Ready == o.Ready &&
		maps.Equal(n.Labels, o.Labels) && slices.Equal(n.Taints, o.Taints) &&
		n.Kind == o.Kind && maps.Equal(n.Allocatable, o.Allocatable)
}

// keepsUntil is the moment from which a pod that tolerates this much may no longer
// run there.
func (n *Node) keepsUntil(tolerations []Toleration) int64 {
	until := int64(never)
	for _, t := range n.Taints {
		if t.Effect == NoExecute {
			until = min(until, toleratedUntil(t, tolerations))
		}
	}
	return until
}

// taint with the effect that is not tolerated, if there is one.
func (n *Node) taint(effect string, by []Toleration) (Taint, bool) {
	for _, t := range n.Taints {
		if t.Effect == effect && !tolerated(t, by) {
			return t, true
		}
	}
	return Taint{}, false
}

// cordon says that the node takes no new pod that tolerates only this much.
func (n *Node) cordon(by []Toleration) bool {
	return n.Cordoned && !tolerated(Taint{Key: "node.kubernetes.io/unschedulable", Effect: NoSchedule}, by)
}

// node is a Node and what takes its room. It exists as long as either does: a pod
// may be told of before its node, and outlive it.
type node struct {
	Node
	known   bool // told of, and in Picture.nodes
	labels  int  // how often its labels have changed
	index   int  // in Picture.nodes
	kind    int  // in Picture.kinds
	alloc   vector
	devices []int // resources that not every node has
	used    vector
	ports   map[HostPort]int // how many hold each
	marks   tally
	// accounts by gang; that of pods without a gang is "".
	accounts map[string]*account
	// kept is what whoever is tried now must leave free for those with a promise.
	kept vector
}

// account is what a gang takes of a node: the greater, resource by resource and
// port by port, of what its slots reserve and what its pods that are bound ask for.
type account struct {
	taken [2]vector
	ports [2]map[HostPort]int
	marks [2]tally
	count [2]int64
	// seated are the bound pods of each rank.
	seated map[seat][]*bookedPod
}

// side of an account.
type side int

const (
	slots side = iota
	bound
)

// book n pods, or takes them back when n is negative.
func (n *node) book(gang string, on side, requests []amount, wears signs, count int64) {
	a := n.accounts[gang]
	if a == nil {
		a = &account{}
		n.accounts[gang] = a
	}
	for _, r := range requests {
		before := max(a.taken[slots].at(r.at), a.taken[bound].at(r.at))
		a.taken[on].add(r.at, r.n*count)
		n.used.add(r.at, max(a.taken[slots].at(r.at), a.taken[bound].at(r.at))-before)
	}
	for _, port := range wears.ports {
		n.hold(a, on, port, int(count))
	}
	n.mark(a, on, tallyOf(wears.marks, int32(count)))
	a.count[on] += count
	if a.count == [2]int64{} {
		delete(n.accounts, gang)
	}
}

// hold a port so many times more.
func (n *node) hold(a *account, on side, port HostPort, count int) {
	before := max(a.ports[slots][port], a.ports[bound][port])
	add(&a.ports[on], port, count)
	add(&n.ports, port, max(a.ports[slots][port], a.ports[bound][port])-before)
}

// mark so many pods more.
func (n *node) mark(a *account, on side, more tally) {
	if len(more) == 0 {
		return
	}
	before := a.marks[slots].most(a.marks[bound])
	a.marks[on] = a.marks[on].plus(more)
	if len(a.marks[1-on]) > 0 {
		more = a.marks[slots].most(a.marks[bound]).minus(before)
	}
	n.marks = n.marks.plus(more)
}

// add to what is counted under a key. Keys that nothing is counted under are not
// kept.
func add[K comparable](counts *map[K]int, key K, n int) {
	if *counts == nil {
		*counts = map[K]int{}
	}
	if (*counts)[key] += n; (*counts)[key] == 0 {
		delete(*counts, key)
	}
}

// free of a resource; less than nothing when more is taken than there is.
func (n *node) free(resource int) int64 {
	return n.alloc.at(resource) - n.used.at(resource) - n.kept.at(resource)
}

// crowded says that more of something that pods of the class ask for is taken
// than there is.
func (n *node) crowded(c *class) bool {
	return slices.ContainsFunc(c.requests, func(r amount) bool { return n.used.at(r.at) > n.alloc.at(r.at) }) ||
		slices.ContainsFunc(c.HostPorts, func(port HostPort) bool { return n.holders(port) > 1 })
}

// holders of a port or of one that conflicts with it.
func (n *node) holders(port HostPort) int {
	holders := 0
	for have, count := range n.ports {
		if port.conflicts(have) {
			holders += count
		}
	}
	return holders
}

// whole says that the node's devices are all free or, when it has none, that no
// gang has slots there.
func (n *node) whole() bool {
	for _, i := range n.devices {
		if n.used.at(i) > 0 {
			return false
		}
	}
	if len(n.devices) > 0 {
		return true
	}
	for _, a := range n.accounts {
		if a.count[slots] > 0 {
			return false
		}
	}
	return true
}

// portTaken is the first of the ports that somebody holds already.
func (n *node) portTaken(ports []HostPort) (HostPort, bool) {
	for _, want := range ports {
		for have := range n.ports {
			if want.conflicts(have) {
				return want, true
			}
		}
	}
	return HostPort{}, false
}
