// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"math/bits"
	"slices"
)

// ladder is the nodes on which pods of a class fit. Those on which the same fits
// share a rung, so that neither to find the best one nor to move one costs more
// because there are more nodes.
type ladder struct {
	rungs []rung // by order, then by pods; none is empty
	spare []numbers
}

type rung struct {
	fit
	nodes numbers
}

func (f fit) compare(o fit) int {
	return cmp.Or(cmp.Compare(f.order, o.order), cmp.Compare(f.pods, o.pods))
}

func (l *ladder) find(f fit) (int, bool) {
	return slices.BinarySearchFunc(l.rungs, f, func(r rung, f fit) int { return r.compare(f) })
}

// put a node on the rung of its fit. One on which nothing fits has none.
func (l *ladder) put(node int, f fit) {
	if f.pods == 0 {
		return
	}
	at, found := l.find(f)
	if !found {
		r := rung{fit: f}
		if last := len(l.spare) - 1; last >= 0 {
			r.nodes, l.spare = l.spare[last], l.spare[:last]
		}
		l.rungs = slices.Insert(l.rungs, at, r)
	}
	l.rungs[at].nodes.add(node)
}

// take a node off the rung of its fit.
func (l *ladder) take(node int, f fit) {
	if f.pods == 0 {
		return
	}
	at, _ := l.find(f)
	nodes := &l.rungs[at].nodes
	if nodes.remove(node); nodes.count == 0 {
		l.spare = append(l.spare, *nodes)
		l.rungs = slices.Delete(l.rungs, at, at+1)
	}
}

// best node for the next of so many pods, or -1; see class.best.
func (l *ladder) best(pods int32) int {
	if len(l.rungs) == 0 {
		return -1
	}
	order := l.rungs[0].order
	at, _ := l.find(fit{pods: pods, order: order})
	if at == len(l.rungs) || l.rungs[at].order != order {
		at-- // None holds all of them.
	}
	return l.rungs[at].nodes.first()
}

// numbers is a set of small numbers of which the least is found quickly.
type numbers struct {
	has   []uint64 // a bit for each number
	some  []uint64 // a bit for each word of has that is not zero
	count int
}

const wordSize = 64

func (s *numbers) add(n int) {
	word := n / wordSize
	for word >= len(s.has) {
		s.has = append(s.has, 0)
	}
	for word/wordSize >= len(s.some) {
		s.some = append(s.some, 0)
	}
	s.has[word] |= 1 << (n % wordSize)
	s.some[word/wordSize] |= 1 << (word % wordSize)
	s.count++
}

func (s *numbers) remove(n int) {
	word := n / wordSize
	if s.has[word] &^= 1 << (n % wordSize); s.has[word] == 0 {
		s.some[word/wordSize] &^= 1 << (word % wordSize)
	}
	s.count--
}

// first is the least of them, of which there must be one.
func (s *numbers) first() int {
	for i, words := range s.some {
		if words != 0 {
			word := i*wordSize + bits.TrailingZeros64(words)
			return word*wordSize + bits.TrailingZeros64(s.has[word])
		}
	}
	return -1
}
