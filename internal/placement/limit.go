// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"slices"
)

// excess says which limit of which queue a number of pods of each set would break.
type excess struct {
	queue *queue
	quota quota
	// asks and used are amounts of the quota's resource; promised of what is used are only
	// kept for gangs that wait.
	asks, used, promised int64
}

// overLimit finds the first limit that the need of a trial would break.
func (t *trial) overLimit() (excess, bool) {
	return t.g.breaks(t.need, current)
}

// current usage, and what is kept for others, is what a limit is compared with to
// start now, none to start at all.
func current(q *queue, l quota) int64 { return q.used.of(l.kind, l.at) + q.keeps(l) }

func none(*queue, quota) int64 { return 0 }

// breaks a limit of its queue or of one above, on all kinds of nodes, with so many
// pods of each set more. Limits on one kind are kept while packing.
func (g *gang) breaks(need []int32, used func(*queue, quota) int64) (excess, bool) {
	if g.queue == nil {
		return excess{}, false
	}
	for q := range g.queue.chain {
		for _, l := range q.quotas {
			if l.Limit == Unlimited || l.kind != 0 {
				continue
			}
			e := excess{queue: q, quota: l, asks: g.asks(need, l.at), used: used(q, l)}
			if e.asks > 0 && e.used+e.asks > l.Limit {
				e.promised = max(e.used-inUse(q, l), 0)
				return e, true
			}
		}
	}
	return excess{}, false
}

// excesses are all limits that so many pods of each set break by themselves.
func (g *gang) excesses(need []int32) []excess {
	if g.queue == nil {
		return nil
	}
	var all []excess
	for q := range g.queue.chain {
		for _, l := range q.quotas {
			if e := (excess{queue: q, quota: l, asks: g.asks(need, l.at)}); l.kind == 0 && l.Limit != Unlimited && e.asks > l.Limit {
				all = append(all, e)
			}
		}
	}
	return all
}

// asks of one resource for so many pods of each set.
func (g *gang) asks(need []int32, resource int) int64 {
	total := int64(0)
	for k, s := range g.sets {
		total += s.class.request(resource) * int64(need[k])
	}
	return total
}

func (c *class) request(resource int) int64 {
	for _, r := range c.requests {
		if r.at == resource {
			return r.n
		}
	}
	return 0
}

// fitsLimits says that the gang would break no limit if nothing else ran.
func (g *gang) fitsLimits() bool {
	_, over := g.breaks(g.minimum(), none)
	return !over
}

// within limits on all kinds of nodes, how many of so many pods more of a set.
func (g *gang) within(k int, pods int32) int32 {
	if g.queue == nil {
		return pods
	}
	for q := range g.queue.chain {
		for _, l := range q.quotas {
			if want := g.sets[k].class.request(l.at); l.kind == 0 && l.Limit != Unlimited && want > 0 {
				pods = int32(min(int64(pods), max(l.Limit-current(q, l), 0)/want))
			}
		}
	}
	return pods
}

// allowance is how many pods of a class limits on the kind of a node leave.
func (g *gang) allowance(c *class, n *node) int32 {
	pods := int64(maxPods)
	if g.queue == nil || n.kind == 0 {
		return int32(pods)
	}
	for q := range g.queue.chain {
		for _, l := range q.quotas {
			if want := c.request(l.at); l.kind == n.kind && l.Limit != Unlimited && want > 0 {
				pods = min(pods, max(l.Limit-current(q, l), 0)/want)
			}
		}
	}
	return int32(pods)
}

// kindLimits that keep pods of a set off nodes of a kind, now.
func (t *trial) kindLimits(k int) []Reason {
	var reasons []Reason
	c := t.g.sets[k].class
	for q := range t.g.queue.chain {
		for _, l := range q.quotas {
			asks := c.request(l.at) * int64(t.need[k])
			if name := t.p.names.list[l.at]; l.kind != 0 && l.Limit != Unlimited && current(q, l)+asks > l.Limit && asks > 0 {
				text := fmt.Sprintf("project %s may use %s %s on nodes of kind %s", q.Name, format(name, l.Limit), name, l.Kind)
				if t.p.empty != nil {
					text += using(name, inUse(q, l), q.keeps(l))
				}
				reasons = append(reasons, Reason{Code: QuotaExceeded, Queue: q.Name, Text: text})
			}
		}
	}
	return reasons
}

// kindSet holds kinds of nodes.
type kindSet map[int]bool

func (s kindSet) with(kind int) kindSet {
	if s == nil {
		s = kindSet{}
	}
	s[kind] = true
	return s
}

// limitsKinds says that a queue on the way up has limits on kinds of nodes.
func (q *queue) limitsKinds() bool {
	for above := range q.chain {
		if slices.ContainsFunc(above.quotas, func(l quota) bool { return l.kind != 0 && l.Limit != Unlimited }) {
			return true
		}
	}
	return false
}

// reason in words.
func (e excess) reason() *Reason {
	name := e.quota.Resource
	text := fmt.Sprintf("needs %s %s; project %s may use %s%s", format(name, e.asks), name, e.queue.Name,
		format(name, e.quota.Limit), using(name, e.used-e.promised, e.promised))
	return &Reason{Code: QuotaExceeded, Text: text, Queue: e.queue.Name}
}

// using so much of a resource, in words, while more is promised.
func using(name string, used, promised int64) string {
	if promised <= 0 {
		return " and uses " + format(name, used)
	}
	return fmt.Sprintf(", uses %s and has promised %s to gangs that wait", format(name, used), format(name, promised))
}
