// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

// Elapse tells what time it is, in seconds since the same moment as Taint.Since.
// What was placed on nodes whose taints are not tolerated any longer is lost.
func (p *Picture) Elapse(now int64) {
	p.now = now
	for _, name := range sortedKeys(p.evicting) {
		if n := p.evicting[name]; p.abandon(n) {
			p.relieve(n)
		}
	}
}

// NextLoss is when Elapse will have something to do if nothing else happens;
// false for never.
func (p *Picture) NextLoss() (int64, bool) {
	next := int64(never)
	for _, n := range p.evicting {
		for key, a := range n.accounts {
			if a.count[slots] > 0 {
				next = min(next, p.gangs[key].staysUntil(n))
			}
		}
	}
	return next, next != never
}

// NextRight is when somebody who waits may have a right that it did not have at the last
// Evict, if nothing else happens: that of an elder, or one to what was protected then; or when those
// are let go who are held back.
// It is false for never.
func (p *Picture) NextRight() (int64, bool) {
	next := min(p.protected, p.ages(), p.nextRecall())
	if len(p.detained) > 0 {
		next = p.now + 1
	}
	return next, next != never
}

// NextDue is when the next promise is due or, a minute later, overdue, so that it must be made
// anew; false for never.
func (p *Picture) NextDue() (int64, bool) {
	next := int64(never)
	if p.plan == nil {
		return next, false
	}
	for _, pr := range p.plan.promises {
		for _, at := range []int64{pr.at, pr.at + leeway} {
			if pr.gang.promise == pr && at > p.now {
				next = min(next, at)
			}
		}
	}
	return next, next != never
}

// watch a node that may evict something, now or later, and no other.
func (p *Picture) watch(n *node) {
	if _, evicts := n.taint(NoExecute, nil); evicts && n.known {
		p.evicting[n.Name] = n
	} else {
		delete(p.evicting, n.Name)
	}
}

// keeps says that pods of the class may go on running there.
func (p *Picture) keeps(n *node, c *class) bool {
	return n.known && p.now < n.keepsUntil(c.Tolerations)
}

// staysUntil is when the first of the gang's places on a node is lost.
func (g *gang) staysUntil(n *node) int64 {
	until := int64(never)
	for _, s := range g.sets {
		if s.count(func(s slot) bool { return s.held && s.node == n.Name }) > 0 {
			until = min(until, n.keepsUntil(s.class.Tolerations))
		}
	}
	return until
}
