// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"maps"
	"slices"
)

// spent counts anew what each queue uses of a resource, by kind of node.
func (w *world) spent(resource string) map[string]map[string]int64 {
	spent := map[string]map[string]int64{}
	for at, count := range w.held() {
		g := w.gangs[at.gang]
		n := int64(count) * ask(g.Sets[at.set].Shape.Requests, nil, resource)
		for name := range w.above(g.Queue) {
			if spent[name] == nil {
				spent[name] = map[string]int64{}
			}
			spent[name][""] += n
			if kind := w.nodes[at.node].Kind; kind != "" {
				spent[name][kind] += n
			}
		}
	}
	return spent
}

// above is a queue with those above it, the root as "".
func (w *world) above(name string) map[string]bool {
	all := map[string]bool{"": true}
	for name != "" && !all[name] {
		all[name] = true
		name = w.queues[name].Parent
	}
	return all
}

// checkBooks: what every queue is booked to use is what its gangs hold.
func (w *world) checkBooks() {
	for _, resource := range []string{"cpu", "x/gpu", pods} {
		spent, at := w.spent(resource), w.p.names.of(resource)
		for _, q := range append(slices.Collect(maps.Values(w.p.queues)), w.p.root) {
			for kind, name := range w.p.kinds.list {
				if booked, counted := q.used.of(kind, at), spent[q.Name][name]; booked != counted {
					w.t.Errorf("queue %q is booked to use %d %s of kind %q; its gangs hold %d", q.Name, booked, resource, name, counted)
				}
			}
		}
	}
}

// checkLimits: no queue came to use more, of what it has a limit on, than that.
func (w *world) checkLimits(before map[string]map[string]int64) {
	after := w.spent("cpu")
	for name, q := range w.queues {
		for _, l := range q.Quota {
			if now := after[name][l.Kind]; now > l.Limit && now > before[name][l.Kind] {
				w.t.Errorf("queue %s uses %d cpu of kind %q, more than before and than its limit %d", name, now, l.Kind, l.Limit)
			}
		}
	}
}
