// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

// A gang that waits may be told of anew, because somebody edited it. It keeps the start that it
// was promised if that holds for what it asks now: others relied on it, and so did its owner.

// amend a gang: the promise to what it was before is to what it is now.
func (g *gang) amend(old *gang) {
	if old.promise == nil || !g.asksNoMore(old) {
		return
	}
	g.promise, old.promise = old.promise, nil
	g.promise.gang = g
}

// asksNoMore than the gang did before, each pod of which asked for the same (reshapes): no more
// places, for no longer, at the same queue's charge, and with no less right to them.
func (g *gang) asksNoMore(old *gang) bool {
	if g.Queue != old.Queue || g.Priority < old.Priority || len(g.sets) != len(old.sets) {
		return false
	}
	if old.Limit > 0 && (g.Limit == 0 || g.Limit > old.Limit) {
		return false
	}
	for k := range g.sets {
		if s, before := &g.sets[k], &old.sets[k]; s.Name != before.Name || s.Count > before.Count || s.least > before.least {
			return false
		}
	}
	return true
}
