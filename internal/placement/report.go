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

// Counts of the gangs of a queue itself, without those of queues below it.
type Counts struct{ Placed, Waiting int }

// Counts of every queue, by name; that of gangs without one is "".
func (p *Picture) Counts() map[string]Counts {
	all := map[string]Counts{}
	for _, g := range p.gangs {
		if len(g.sets) == 0 {
			continue
		}
		c := all[g.Queue]
		if g.queued && !g.runs() {
			c.Waiting++
		} else {
			c.Placed++
		}
		all[g.Queue] = c
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

// Holding is what takes the room of a node.
type Holding struct {
	// Taken is what gangs have reserved and pods that are bound ask for.
	Taken Resources
	// Gangs that are told of and have places or pods there, by key.
	Gangs []string
}

// Holding of a node; of one that is not known it is empty.
func (p *Picture) Holding(name string) Holding {
	n := p.byName[name]
	if n == nil {
		return Holding{}
	}
	h := Holding{Taken: Resources{}}
	for i, taken := range n.used {
		if taken != 0 {
			h.Taken[p.names.list[i]] = taken
		}
	}
	for _, key := range sortedKeys(n.accounts) {
		if p.gangs[key] != nil {
			h.Gangs = append(h.Gangs, key)
		}
	}
	return h
}

// UsedBy the users of a queue, by name: so much of a resource on nodes of a kind, or on
// all, by gangs of the queue itself. Gangs of nobody's are "".
func (p *Picture) UsedBy(queue, resource, kind string) map[string]int64 {
	q := p.queues[queue]
	if q == nil {
		return nil
	}
	used := map[string]int64{}
	for name, u := range q.users {
		if n := u.used.of(p.kinds.of(kind), p.names.of(resource)); n > 0 {
			used[name] = n
		}
	}
	return used
}

// Format an amount of a resource as reasons write it: "0.5" cores, "1.5Gi", "8".
func Format(resource string, n int64) string { return format(resource, n) }

// Count things as reasons do: "1 pod", "3 pods".
func Count(n int, noun string) string { return plural(n, noun) }
