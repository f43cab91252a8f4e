// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Bounds of a Past, so that it can be kept in the status of an object.
const (
	// maxPastUsers are those who used most; maxPastKinds those that ended last, with
	// maxPastRuns of each.
	maxPastUsers              = 64
	maxPastKinds, maxPastRuns = 32, 8
)

// Past is what a picture has learned about a queue itself: what another picture must be
// told to go on as this one would.
type Past struct {
	Queue string
	// At is the moment up to which it was learned.
	At int64
	// Mean use of each resource, each moment weighted by half for every half-life since.
	Mean map[string]float64
	// Users who used most of it, by name.
	Users []UserPast
	// Runs of the kinds that ended last, the latest last.
	Runs []PastRuns
}

// UserPast is a user's part in what a queue used on average.
type UserPast struct {
	Name string
	Mean map[string]float64
}

// PastRuns are runs of one kind (Gang.Kind) and how many seconds each took, the latest last.
type PastRuns struct {
	Kind string
	Took []int64
}

// Past of a queue. What no longer decides anything is left out.
func (p *Picture) Past(name string) Past {
	out := Past{Queue: name, At: p.now, Mean: map[string]float64{}}
	q := p.queues[name]
	if q == nil {
		return out
	}
	q.own.settle(p.now, p.HalfLife)
	out.Mean = p.meanOf(&q.own)
	out.Users = p.pastUsers(q)
	out.Runs = p.past.ofQueue(name)
	return out
}

// meanOf a usage that is settled.
func (p *Picture) meanOf(u *usage) map[string]float64 {
	mean := map[string]float64{}
	for i, n := range u.mean {
		if n > negligible && !Beside(p.names.list[i]) {
			mean[p.names.list[i]] = n
		}
	}
	return mean
}

// pastUsers of a queue, by name. Those are forgotten who have no gangs and whose past
// decides nothing any more.
func (p *Picture) pastUsers(q *queue) []UserPast {
	type one struct {
		UserPast
		part float64
	}
	var all []one
	for _, name := range sortedKeys(q.users) {
		u := q.users[name]
		u.used.settle(p.now, p.HalfLife)
		if u.gangs == 0 && u.used.forgotten() {
			delete(q.users, name)
			continue
		}
		part := 0.0
		for i, mean := range u.used.mean {
			if whole := q.own.past(i); whole > 0 {
				part = max(part, mean/whole)
			}
		}
		if mean := p.meanOf(&u.used); len(mean) > 0 {
			all = append(all, one{UserPast{name, mean}, part})
		}
	}
	slices.SortStableFunc(all, func(a, b one) int { return cmp.Compare(b.part, a.part) })
	var users []UserPast
	for _, u := range all[:min(len(all), maxPastUsers)] {
		users = append(users, u.UserPast)
	}
	slices.SortFunc(users, func(a, b UserPast) int { return strings.Compare(a.Name, b.Name) })
	return users
}

// ofQueue are the last runs for which a queue was charged.
func (h *history) ofQueue(queue string) []PastRuns {
	var kinds []string
	for kind, m := range h.kinds {
		if m.queue == queue {
			kinds = append(kinds, kind)
		}
	}
	slices.SortFunc(kinds, func(a, b string) int { return cmp.Compare(h.kinds[a].noted, h.kinds[b].noted) })
	var runs []PastRuns
	for _, kind := range kinds[max(len(kinds)-maxPastKinds, 0):] {
		took := h.kinds[kind].took
		runs = append(runs, PastRuns{kind, slices.Clone(took[max(len(took)-maxPastRuns, 0):])})
	}
	return runs
}

// Recall what was learned about a queue that was told of, up to a moment that Elapse has
// passed. It replaces what is known, so that to be told twice is no harm.
func (p *Picture) Recall(past Past) {
	q := p.queues[past.Queue]
	if q == nil {
		return
	}
	for _, runs := range past.Runs {
		delete(p.past.kinds, runs.Kind)
		p.past.note(past.Queue, runs.Kind, slices.Clone(runs.Took)...)
	}
	if p.HalfLife <= 0 {
		return
	}
	keep := math.Exp2(-float64(max(p.now-past.At, 0)) / float64(p.HalfLife))
	for resource, mean := range past.Mean {
		i := p.names.of(resource)
		q.own.settle(p.now, p.HalfLife)
		delta := q.own.recall(i, max(mean, 0)*keep)
		for above := range q.chain {
			above.used.settle(p.now, p.HalfLife)
			above.used.recall(i, max(above.used.past(i)+delta, 0))
		}
	}
	for _, told := range past.Users {
		u := q.user(told.Name)
		u.used.settle(p.now, p.HalfLife)
		for resource, mean := range told.Mean {
			u.used.recall(p.names.of(resource), max(mean, 0)*keep)
		}
	}
}
