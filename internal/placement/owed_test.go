// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// What follows judges by what the world was told, not by the books of the picture, who is owed
// what is promised to whom.

// path is a queue with those above it, up to but for the root, the highest first.
func (w *world) path(name string) []string {
	var path []string
	for name != "" && !slices.Contains(path, name) {
		path = append(path, name)
		name = w.queues[name].Parent
	}
	slices.Reverse(path)
	return path
}

// parts are the queues at which the ways to two gangs part, each empty where there is none.
func (w *world) parts(a, b string) (string, string) {
	x, y := w.path(w.gangs[a].Queue), w.path(w.gangs[b].Queue)
	for len(x) > 0 && len(y) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	first := func(path []string) string {
		if len(path) == 0 {
			return ""
		}
		return path[0]
	}
	return first(x), first(y)
}

// covers says that a queue that used so much is within what it is guaranteed with a gang, too.
func (w *world) covers(queue, gang string, spent map[string]map[string]int64) bool {
	asks, some := int64(0), false
	for k, n := range w.p.gangs[gang].lacks() {
		asks += int64(n) * w.gangs[gang].Sets[k].Shape.Requests["cpu"]
	}
	for _, l := range w.queues[queue].Quota {
		if l.Guaranteed == 0 || asks == 0 {
			continue
		}
		if spent[queue][l.Kind]+asks > l.Guaranteed {
			return false
		}
		some = true
	}
	return some
}

// owes says that a promise must not hold back a gang, when so much was used.
func (w *world) owes(pr *promise, gang string, spent map[string]map[string]int64) bool {
	mine, theirs := w.parts(gang, pr.gang.Key)
	if mine == "" || pr.firm || !w.covers(mine, gang, spent) {
		return false
	}
	return theirs == "" || !slices.ContainsFunc(pr.within, func(q *queue) bool { return q.Name == theirs })
}

// heeds says that there is a promise that a gang must not delay.
func (w *world) heeds(g *gang) bool {
	if w.p.plan == nil {
		return false
	}
	spent := w.spent("cpu")
	return slices.ContainsFunc(w.p.plan.promises, func(pr *promise) bool { return pr.gang != g && !w.owes(pr, g.Key, spent) })
}

// rights are the gangs for whose sake each promise may be delayed, as things are.
func (w *world) rights() map[*promise][]string {
	rights := map[*promise][]string{}
	if w.p.plan == nil {
		return rights
	}
	spent := w.spent("cpu")
	for _, pr := range w.p.plan.promises {
		rights[pr] = []string{}
		for key, g := range w.p.gangs {
			if key != pr.gang.Key && (w.owes(pr, key, spent) || w.p.firm(g)) {
				rights[pr] = append(rights[pr], key)
			}
		}
	}
	return rights
}

// checkDelay of promises that were open, which is allowed for the sake of those alone who have a
// right to it, and who got places or a promise.
func (w *world) checkDelay(before map[*promise][]string) {
	for pr, rights := range before {
		key := pr.gang.Key
		if len(w.gangs[key].Sets) > 1 || w.p.gangs[key].sets[0].class.ties != nil || w.latest[key].State == Placed {
			continue
		}
		again, still := w.p.PlannedStart(key)
		if still && again.At <= pr.at {
			continue
		}
		if !slices.ContainsFunc(rights, func(key string) bool { return w.latest[key].State == Placed || w.p.gangs[key].promise != nil }) {
			w.t.Errorf("%s was promised to start at %d; after a decision it is %d (%t)", key, pr.at, again.At, still)
		}
	}
}
