// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "math"

// DefaultHalfLife is after how many seconds past usage counts half.
const DefaultHalfLife = int64(7 * 24 * 60 * 60)

// usage of resources, now and on average over the past.
type usage struct {
	// now by kind of node; the first is all kinds together.
	now []vector
	// mean by resource, of all kinds: use in the past, each moment weighted by half
	// for every half-life since. It is right for the moment at.
	mean []float64
	at   int64
}

// add so much of one resource on a node of a kind, taken back when negative.
func (u *usage) add(kind, resource int, n int64) {
	for kind >= len(u.now) {
		u.now = append(u.now, nil)
	}
	u.now[0].add(resource, n)
	if kind > 0 {
		u.now[kind].add(resource, n)
	}
}

// of a resource on nodes of a kind, zero for all.
func (u *usage) of(kind, resource int) int64 {
	if kind < len(u.now) {
		return u.now[kind].at(resource)
	}
	return 0
}

// settle brings the mean up to a moment: since the last one usage was what it is
// now.
func (u *usage) settle(moment, halfLife int64) {
	if moment <= u.at || halfLife <= 0 {
		return
	}
	keep := math.Exp2(-float64(moment-u.at) / float64(halfLife))
	u.at = moment
	for len(u.now) > 0 && len(u.mean) < len(u.now[0]) {
		u.mean = append(u.mean, 0)
	}
	for i := range u.mean {
		u.mean[i] = u.mean[i]*keep + float64(u.of(0, i))*(1-keep)
	}
}

// recall that the mean of a resource was so much at a moment, and return by how much
// that changes it.
func (u *usage) recall(resource int, mean float64) float64 {
	for resource >= len(u.mean) {
		u.mean = append(u.mean, 0)
	}
	delta := mean - u.mean[resource]
	u.mean[resource] = mean
	return delta
}

func (u *usage) past(resource int) float64 {
	if resource < len(u.mean) {
		return u.mean[resource]
	}
	return 0
}

// negligible is a mean that no longer decides anything: a thousandth of a device or byte,
// and of a thousandth of a core.
const negligible = 1e-3

// forgotten says that neither now nor in the past anything was used.
func (u *usage) forgotten() bool {
	for i := range u.mean {
		if u.mean[i] > negligible {
			return false
		}
	}
	return len(u.now) == 0 || u.now[0].zero()
}

func (u *usage) merge(o *usage)    { u.fold(o, 1) }
func (u *usage) subtract(o *usage) { u.fold(o, -1) }

func (u *usage) fold(o *usage, sign int64) {
	for kind, v := range o.now {
		for kind >= len(u.now) {
			u.now = append(u.now, nil)
		}
		for i, n := range v {
			u.now[kind].add(i, sign*n)
		}
	}
	for i, mean := range o.mean {
		for i >= len(u.mean) {
			u.mean = append(u.mean, 0)
		}
		u.mean[i] = max(u.mean[i]+float64(sign)*mean, 0)
	}
}

// share is the dominant one (Ghodsi et al., Dominant Resource Fairness, NSDI 2011)
// of what the cluster has: half of it what is used now, half what was used on
// average, divided by the weight. What is promised counts as used.
func (u *usage) share(total, promised vector, weight int64) float64 {
	dominant := 0.0
	for i := range total {
		if total.at(i) <= 0 {
			continue
		}
		used := float64(u.of(0, i) + promised.at(i))
		if i < len(u.mean) {
			used = (used + u.mean[i]) / 2
		}
		dominant = max(dominant, used/float64(total.at(i)))
	}
	return dominant / float64(max(weight, 1))
}

// charge a gang's queue, those above it, and its user for pods on a node, or give
// them back.
func (p *Picture) charge(g *gang, n *node, requests []amount, pods int64) {
	if g.queue == nil {
		return
	}
	p.chargeOn(g, n.kind, requests, pods)
}

// chargeOn nodes of a kind.
func (p *Picture) chargeOn(g *gang, kind int, requests []amount, pods int64) {
	for q := range g.queue.chain {
		p.debit(&q.used, kind, requests, pods)
	}
	p.debit(&g.queue.own, kind, requests, pods)
	p.debit(&g.user.used, kind, requests, pods)
}

// recharge what a gang holds on one node, or on all for nil.
func (p *Picture) recharge(g *gang, n *node, sign int64) {
	if g == nil || g.queue == nil {
		return // pods of no gang that is known
	}
	pods := make([]int64, len(p.kinds.list)) // a gang may be on hundreds of nodes of few kinds
	for k := range g.sets {
		for _, s := range g.sets[k].slots {
			if s.held && (n == nil || s.node == n.Name) {
				pods[p.byName[s.node].kind] += int64(s.count)
			}
		}
		for kind, count := range pods {
			if count > 0 {
				p.chargeOn(g, kind, g.sets[k].class.requests, sign*count)
				pods[kind] = 0
			}
		}
	}
}

func (p *Picture) debit(u *usage, kind int, requests []amount, pods int64) {
	p.shares++
	u.settle(p.now, p.HalfLife)
	for _, r := range requests {
		u.add(kind, r.at, r.n*pods)
	}
}
