// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

// Used of a resource on nodes of a kind, or on all, by the gangs of a queue and of
// those below it.
func (p *Picture) Used(queue, resource, kind string) int64 {
	q := p.queues[queue]
	if q == nil {
		return 0
	}
	return q.used.of(p.kinds.of(kind), p.names.of(resource))
}

// Members counts the gangs of a queue itself.
type Members struct{ Placed, Waiting int }

// Members of every queue, by name; that of gangs without one is "".
func (p *Picture) Members() map[string]Members {
	all := map[string]Members{}
	for _, g := range p.gangs {
		m := all[g.Queue]
		if g.queued && !g.any(slot.isHeld) {
			m.Waiting++
		} else {
			m.Placed++
		}
		all[g.Queue] = m
	}
	return all
}

// Turns are the keys of the gangs that wait, wholly or in part, in the order in which
// they are tried as things are. Each one that is placed may change it.
func (p *Picture) Turns() []string {
	contest := p.contest(func(*gang) bool { return true })
	var keys []string
	for g := contest.next(); g != nil; g = contest.next() {
		keys = append(keys, g.Key)
	}
	return keys
}
