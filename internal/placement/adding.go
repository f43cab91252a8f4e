// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"maps"
	"slices"
	"sort"
)

// What is told to make a gang fit is tried on the empty cluster: of several sets that ask together
// each may lack something.

const (
	// maxAddings bounds how often nodes are added until a gang fits, and maxAdded how many of them.
	maxAddings, maxAdded = 16, 1000
	// maxTried bounds what a trial may cost where it takes many of them: nodes and pods, for each set.
	maxTried = 2000
)

// simple is a gang of which one can tell without trying: one set asks for pods, on whichever kind of nodes.
func (t *trial) simple() bool { return len(t.sequence()) == 1 && !t.g.queue.limitsKinds() }

// dear is a gang so large, or in so large a cluster, that it is told without trying, and without a number.
func (t *trial) dear() bool {
	sets, pods := t.sequence(), 0
	for _, k := range sets {
		pods += int(t.need[k])
	}
	return (len(t.p.nodes)+pods)*len(sets) > maxTried
}

// fitsWith so many pods of each set.
func (t *trial) fitsWith(need []int32) bool {
	u := t.p.trial(t.g, need)
	defer u.cancel()
	return u.place(u.sequence())
}

// fitsWithout some sets, if there are any.
func (t *trial) fitsWithout(sets []int) bool {
	need := slices.Clone(t.need)
	for _, k := range sets {
		need[k] = 0
	}
	return len(sets) > 0 && t.fitsWith(need)
}

// atMost so many pods of set k fit with all of the others, of those that there is room for; zero where that
// is not known.
func (t *trial) atMost(k int, room int64) int64 {
	need := slices.Clone(t.need)
	fits := func(pods int64) bool {
		need[k] = int32(pods)
		return t.fitsWith(need)
	}
	switch {
	case room == 0, t.simple():
		return room
	case t.dear():
		return 0
	case fits(room):
		return room
	case !fits(1):
		return 0
	}
	return room - int64(sort.Search(int(room), func(less int) bool { return fits(room - int64(less)) }))
}

// brokenOnKinds are limits on kinds of nodes, where the gang fits but for them.
func (t *trial) brokenOnKinds() []excess {
	if !t.g.queue.limitsKinds() {
		return nil
	}
	free := t.unlimited()
	u := t.p.trial(free.g, t.need)
	defer u.cancel()
	if !u.place(u.sequence()) {
		return nil
	}
	var all []excess
	for q := range t.g.queue.chain {
		for _, l := range q.quotas {
			e := excess{queue: q, quota: l}
			for _, m := range u.moves {
				if t.p.nodes[m.node].kind == l.kind {
					e.asks += t.g.sets[m.set].class.request(l.at) * int64(m.pods)
				}
			}
			if e.asks > l.Limit {
				all = append(all, e)
			}
		}
	}
	return all
}

// unlimited is the trial of the gang as if it had no queue.
func (t *trial) unlimited() *trial {
	g := *t.g
	g.queue = nil
	return &trial{p: t.p, g: &g, need: t.need}
}

// stuck is the first set that finds no place, and how much room there is for it; false for none.
func (t *trial) stuck() (k int, room int64, is bool) {
	if t.fitsWith(t.need) {
		return 0, 0, false
	}
	u := t.p.trial(t.g, t.need)
	defer u.cancel()
	for _, k = range u.sequence() {
		mark := len(u.moves)
		if u.g.sets[k].class.sync(t.p); !u.first(k) {
			u.undo(mark)
			u.g.sets[k].class.sync(t.p)
			return k, u.fitting(k), true
		}
	}
	return k, 0, true
}

// adding nodes like some that are there until all sets fit: how many of which, in words, and the
// limits on kinds of nodes that the gang breaks then. It is empty where that does not help, or
// need not be tried.
func (t *trial) adding() (words string, over []excess) {
	if t.simple() || t.dear() {
		return "", nil
	}
	var added, likes []string
	counts := map[string]int64{}
	defer func() {
		for _, name := range slices.Backward(added) {
			t.p.DeleteNode(name)
		}
	}()
	free := t.unlimited()
	for range maxAddings {
		k, room, is := free.stuck()
		if !is {
			for i, name := range likes {
				likes[i] = fmt.Sprintf("%s like %s", plural(counts[name], "node"), name)
			}
			return enumerate(likes), t.brokenOnKinds()
		}
		c := t.g.sets[k].class
		c.sync(t.p)
		like := t.roomiest(c)
		each := int64(c.fits[like.index].pods)
		lacks := int64(t.need[k]) - room
		if each == 0 || lacks <= 0 || len(added)+int(lacks) > maxAdded || t.g.sets[k].Topology.bound() || c.ties != nil {
			break
		}
		if counts[like.Name] == 0 {
			likes = append(likes, like.Name)
		}
		for range (lacks + each - 1) / each {
			counts[like.Name]++
			added = append(added, t.p.another(like, len(added)))
		}
	}
	return "", nil
}

// another node like one that is there, by its number behind all of them.
func (p *Picture) another(like *node, number int) string {
	told := like.Node
	told.Name = fmt.Sprintf("\U0010ffff%d", number)
	if _, labelled := told.Labels[hostname]; labelled {
		told.Labels = maps.Clone(told.Labels)
		told.Labels[hostname] = told.Name
	}
	p.SetNode(told)
	return told.Name
}
