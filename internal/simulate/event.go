// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"cmp"
	"container/heap"
)

// event is something that happens at a moment.
type event struct {
	at    int64
	order order
	seq   int // of two alike the one that was known first
	do    func()
}

// order of what happens at the same moment: who ends makes room for who comes.
type order int

const (
	ends order = iota
	leaves
	changes
	arrives
)

// agenda is what is going to happen, as far as it is known.
type agenda struct {
	events eventHeap
	seq    int
}

func (a *agenda) add(at int64, order order, do func()) {
	a.seq++
	heap.Push(&a.events, event{at, order, a.seq, do})
}

// next is when something happens.
func (a *agenda) next() (int64, bool) {
	if len(a.events) == 0 {
		return 0, false
	}
	return a.events[0].at, true
}

// run all that happens until a moment.
func (a *agenda) run(until int64) {
	for len(a.events) > 0 && a.events[0].at <= until {
		heap.Pop(&a.events).(event).do()
	}
}

// eventHeap is a heap as package container/heap wants it.
type eventHeap []event

func (h eventHeap) Len() int      { return len(h) }
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h eventHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].at, h[j].at), cmp.Compare(h[i].order, h[j].order), cmp.Compare(h[i].seq, h[j].seq)) < 0
}
func (h *eventHeap) Push(e any) { *h = append(*h, e.(event)) }
func (h *eventHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
