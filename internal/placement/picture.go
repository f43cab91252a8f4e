// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unique"
)

// Picture is the cluster, what is on it, and the gangs that want to be. It is not
// safe for concurrent use.
type Picture struct {
	names  names
	byName map[string]*node
	nodes  []*node // those known, by name: the answer must not depend on who came first
	pods   map[string]*bookedPod
	gangs  map[string]*gang
	past   history
	// waiting are the gangs that Decide must look at, in the order of their turns.
	// came are those of them that came, or moved, since the last pass; triedAll is
	// freed when all of them were last tried.
	waiting, came []*gang
	triedAll      uint64
	// users of whom gangs wait in rows, in any order, and repairs, which wait in none, in turn.
	users   []*user
	repairs []*gang
	// holders of places, and leavers, some of whose pods may still be where they gave places
	// back: each in any order.
	holders, leavers []*gang
	// outgoing are the pods on their way out, by gang.
	outgoing map[string]map[*bookedPod]bool
	// clearances that are not over, in the order in which they began; restored are the keys of
	// gangs whose exits are yet to be found, as pods may be told of after them.
	clearances []*clearance
	restored   []string
	// lent are places that are kept for others; until endLoans some of those who have them, or who
	// lent them, may want them no more.
	lent loans
	// shares counts how often what queues use, or what is kept for them, changed.
	shares uint64
	// enqueued counts the gangs that ever began to wait.
	enqueued uint64
	// judgedFacts is facts when it was last said of all who wait whether they ever fit.
	judgedFacts uint64

	// Levels are labels by which the cluster divides its nodes, such as zones and racks,
	// in any order. Where a domain of a preferred label does not hold a pod set, those
	// that hold such domains are tried.
	Levels []string
	// HalfLife of past usage, in seconds; zero counts present usage alone.
	HalfLife int64
	// Patience is for how many seconds a gang waits before it is an elder; zero for ever.
	Patience int64
	// Lease is for how many seconds at least places that are kept for promises are lent to
	// others meanwhile; zero for not at all.
	Lease  int64
	root   *queue
	queues map[string]*queue
	// refused queues, by name, with the reason.
	refused map[string]string
	kinds   names // of nodes; the first is all of them
	total   vector

	// now is when Elapse was last told.
	now  int64
	plan *plan // nil for none
	// lastNumber is the greatest of a promise; reminded are gangs that came with one, which the
	// next plan keeps. ripe says that who waits may start since a plan: a promise was put off, or
	// is due.
	lastNumber int64
	reminded   []*gang
	ripe       bool
	// settling says that the picture is settled now and again, so that gangs may be held back until then,
	// and detained are those who are.
	settling bool
	detained []*gang
	// planned is the last plan's limit.
	planned int
	// elastic is how many gangs can do without some of their pods.
	elastic  int
	keepIdle int64
	// evicting are the nodes with taints that evict.
	evicting map[string]*node
	// protected is when the first of those is protected no longer who were asked in vain to
	// give way.
	protected int64
	// denials are of those who asked others in vain to give way; events counts what could change
	// them, and round how often all had their turn to ask.
	denials map[asking]*denial
	events  uint64
	round   uint64
	// feuds are of gangs for which others gave way, by key.
	feuds map[string]*feud
	// unsure are the names of nodes that the next decision reviews.
	unsure map[string]bool

	// marks are what pods are counted by for their neighbours. drawn says that a place that
	// was taken may let in who was tried before.
	marks registry
	drawn bool

	classes map[string]*class
	unused  []*class // those without a user, longest first
	levels  map[string]*level
	// touched is version when the room on a node last changed, by node.index; history
	// is the nodes in that order, one for each version after forgotten.
	touched   []uint64
	history   []int
	forgotten uint64
	// Counters that say which memories are out of date. version: any room.
	// members: which nodes there are. facts: anything about nodes but their room.
	// freed: room that may let a gang in. changes: anything that may change an
	// explanation.
	version, members, facts, freed, changes uint64

	// empty has the same nodes with nothing on them and in good health; it tells
	// waiting from never. It has none itself.
	empty *Picture
	// fitting remembers which shapes of gangs fit the empty cluster, as of
	// fittingFacts.
	fitting      map[unique.Handle[string]]bool
	fittingFacts uint64
}

// New makes a picture of a cluster without nodes.
func New() *Picture {
	p := blank()
	p.empty = blank()
	p.HalfLife, p.Patience, p.Lease, p.keepIdle = DefaultHalfLife, DefaultPatience, DefaultLease, defaultKeepIdle
	return p
}

func blank() *Picture {
	return &Picture{
		names:     names{index: map[string]int{}},
		protected: never,
		root:      newQueue(""),
		queues:    map[string]*queue{},
		refused:   map[string]string{},
		kinds:     names{index: map[string]int{"": 0}, list: []string{""}},
		byName:    map[string]*node{},
		pods:      map[string]*bookedPod{},
		gangs:     map[string]*gang{},
		classes:   map[string]*class{},
		levels:    map[string]*level{},
		fitting:   map[unique.Handle[string]]bool{},
		unsure:    map[string]bool{},
		lent:      loans{},
		denials:   map[asking]*denial{},
		feuds:     map[string]*feud{},
		marks:     newRegistry(),

		evicting: map[string]*node{},
	}
}

// SetNode tells of a node, or of what changed about it. What its taints evict is
// lost. It returns whether that is news.
func (p *Picture) SetNode(told Node) bool {
	n := p.node(told.Name)
	if n.known && n.equal(&told) {
		return false
	}
	if p.empty != nil {
		p.empty.SetNode(ideal(told))
	}
	p.offer(n, -1)
	p.rename(n, told.Kind)
	if !maps.Equal(n.Labels, told.Labels) {
		n.labels++
	}
	n.Node, n.alloc, n.devices = told, nil, nil
	for _, a := range p.names.amounts(told.Allocatable) {
		n.alloc.add(a.at, a.n)
		if IsDevice(p.names.list[a.at]) {
			n.devices = append(n.devices, a.at)
		}
	}
	if !n.known {
		p.insert(n)
	}
	p.watch(n)
	p.offer(n, 1)
	p.abandon(n)
	p.doubt(n)
	p.facts++
	p.relieve(n)
	return true
}

// DeleteNode tells that a node is gone, and with it what was placed there. Pods
// that are bound to it are told of by Unbind. It returns whether that is news.
func (p *Picture) DeleteNode(name string) bool {
	n := p.byName[name]
	if n == nil || !n.known {
		return false
	}
	if p.empty != nil {
		p.empty.DeleteNode(name)
	}
	p.nodes = slices.Delete(p.nodes, n.index, n.index+1)
	p.offer(n, -1)
	n.known = false
	p.watch(n)
	p.renumber(n.index)
	p.abandon(n)
	p.facts++
	p.relieve(n)
	p.drop(n)
	return true
}

// offer what a node has to the whole, or take it back.
func (p *Picture) offer(n *node, sign int64) {
	if n.known {
		for i, amount := range n.alloc {
			p.total.add(i, sign*amount)
		}
	}
}

// rename the kind of a node, with what gangs use there.
func (p *Picture) rename(n *node, kind string) {
	next := p.kinds.of(kind)
	if next == n.kind {
		return
	}
	for key := range n.accounts {
		p.recharge(p.gangs[key], n, -1)
	}
	n.kind = next
	for key := range n.accounts {
		p.recharge(p.gangs[key], n, 1)
	}
}

// OfNode says that a taint tells of the state of a node, which passes, and not of what
// the node is for.
func OfNode(t Taint) bool {
	return strings.HasPrefix(t.Key, "node.kubernetes.io/") || strings.HasPrefix(t.Key, "node.cloudprovider.kubernetes.io/") ||
		t.Key == "slipway.dev/unhealthy"
}

// ideal is the node with nothing wrong that time or an administrator's hand on
// it would not cure.
func ideal(n Node) Node {
	n.Cordoned, n.Ready = false, true
	n.Taints = slices.DeleteFunc(slices.Clone(n.Taints), func(t Taint) bool {
		return OfNode(t)
	})
	return n
}

// node by name, known or not.
func (p *Picture) node(name string) *node {
	n := p.byName[name]
	if n == nil {
		n = &node{accounts: map[string]*account{}}
		n.Name = name
		p.byName[name] = n
	}
	return n
}

func (p *Picture) insert(n *node) {
	i, _ := slices.BinarySearchFunc(p.nodes, n.Name, func(n *node, name string) int { return cmp.Compare(n.Name, name) })
	p.nodes = slices.Insert(p.nodes, i, n)
	n.known = true
	p.renumber(i)
}

// renumber the nodes from i on. What is kept by number is out of date with it.
func (p *Picture) renumber(from int) {
	for i := from; i < len(p.nodes); i++ {
		p.nodes[i].index = i
	}
	if p.touched = append(p.touched, 0); len(p.touched) > len(p.nodes) {
		p.touched = p.touched[:len(p.nodes)]
	}
	p.members++
	p.history, p.forgotten = p.history[:0], p.version
}

// touch says that the room on a node changed.
func (p *Picture) touch(n *node) {
	if !n.known {
		return
	}
	// To follow a long history costs more than to look at every node.
	if len(p.history) >= 2*len(p.nodes) {
		p.forgotten += uint64(len(p.nodes))
		p.history = slices.Delete(p.history, 0, len(p.nodes))
	}
	p.version++
	p.touched[n.index] = p.version
	p.history = append(p.history, n.index)
}

// relieve says that a node may take what it could not take before.
func (p *Picture) relieve(n *node) {
	if p.plan != nil {
		p.plan.stale = true
	}
	p.touch(n)
	p.freed++
	p.changes++
	p.events++
}

// drop a node of which nothing is left.
func (p *Picture) drop(n *node) {
	if !n.known && len(n.accounts) == 0 {
		delete(p.byName, n.Name)
	}
}

// abandon the slots that a node no longer keeps, and say whether there were any.
func (p *Picture) abandon(n *node) bool {
	any := false
	for _, key := range slices.Sorted(maps.Keys(n.accounts)) {
		if a := n.accounts[key]; a.count[slots] > 0 {
			g := p.gangs[key]
			any = p.lose(g, n, func(k int, _ int32) bool { return !p.keeps(n, g.sets[k].class) }) || any
		}
	}
	return any
}

// lose the places on a node of those ranks that are gone from there. It returns
// whether there were any.
func (p *Picture) lose(g *gang, n *node, gone func(k int, rank int32) bool) bool {
	any := false
	for k := range g.sets {
		split, lost := g.sets[k].split(n, func(rank int32) bool { return gone(k, rank) })
		if lost == 0 {
			continue
		}
		g.sets[k].slots, any = split, true
		p.book(g, k, n, -lost)
	}
	if any {
		g.moved = true
		p.enqueue(g)
	}
	return any
}

// split the slots that are held on a node into those of ranks that are gone and
// the others, and count the former.
func (s *set) split(n *node, gone func(rank int32) bool) ([]slot, int32) {
	var out []slot
	rank, lost := int32(0), int32(0)
	for _, old := range s.slots {
		if !old.held || old.node != n.Name {
			out = appendRun(out, old)
			rank += old.count
			continue
		}
		for range old.count {
			held := !gone(rank)
			if out = appendRun(out, slot{old.node, 1, held}); !held {
				lost++
			}
			rank++
		}
	}
	return out, lost
}
