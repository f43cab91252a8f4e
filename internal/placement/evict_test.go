// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// evict holds that only those give way who must, and that no queue gives way to
// another one that has borrowed nothing.
func (w *world) evict() {
	w.decide()
	before, held, now := w.spent("cpu"), w.held(), w.p.now
	started := map[string]int64{}
	for key, g := range w.p.gangs {
		started[key] = g.Started
	}
	// An elder may ask for GPUs, which are guaranteed to nobody, or besides them for no cpu:
	// then it takes what is no queue's own.
	gpus, byAge, besides, idle := w.spent("x/gpu"), false, false, map[string]bool{}
	for key, g := range w.p.gangs {
		idle[key] = g.broken()
	}
	verdicts := w.p.Evict(2)
	evictors, moved := map[string]bool{}, map[string]bool{}
	for key, g := range w.p.gangs {
		// Who has others give way to somebody whose start is in its way has them give way to itself.
		if f := w.p.feuds[key]; g.clearance != nil || f != nil && f.raised && f.at == now {
			for above := range w.above(w.gangs[key].Queue) {
				evictors[above] = true
			}
		}
	}
	for _, v := range verdicts {
		g := w.gangs[v.Gang]
		byIdle := v.Reason != nil && v.Reason.Cause == ByIdleness
		if besides = besides || byIdle; byIdle && !idle[v.Gang] {
			w.t.Errorf("%s gave way as idle, and ran", v.Gang)
		}
		if w.heldBy(v.Gang, held) == 0 || now < started[v.Gang]+g.Protected && !byIdle {
			w.t.Errorf("%s gave way with %d places, started at %d, at %d", v.Gang, w.heldBy(v.Gang, held), started[v.Gang], now)
		}
		if v.Reason != nil && v.Reason.Cause == ByAge {
			elder := w.gangs[v.Reason.Heir]
			byAge = true
			asks := w.p.gangs[elder.Key].asks(w.p.gangs[elder.Key].minimum(), w.p.names.of("cpu"))
			besides = besides || asks == 0
			w.checkOvertook(g, elder, w.p.Patience)
		}
		if v.Reason != nil && v.Reason.Cause == ByMove {
			w.checkOvertook(g, w.gangs[v.Reason.Heir], w.p.Patience+w.p.Patience/2)
			for above := range w.above(g.Queue) {
				moved[above] = true
			}
			// Where pods of the heir are left from before, what is kept for it counts beside them.
			if start, is := w.p.PlannedStart(v.Gang); (!is || start.At > now+leeway) && !w.strays(v.Reason.Heir) {
				w.t.Errorf("%s moves and is promised to start at %d (%t), at %d", v.Gang, start.At, is, now)
			}
		}
		w.latest[v.Gang] = v
	}
	for _, v := range verdicts {
		v = w.latest[v.Gang] // the last one counts
		has := w.heldBy(v.Gang, w.held())
		if v.State == Placed && (has == 0 || w.crippled(w.p.gangs[v.Gang]) || has >= w.heldBy(v.Gang, held)) || v.State != Placed && has > 0 {
			w.t.Errorf("%s gave way, is told %s, and holds %d of %d places", v.Gang, v.State, has, w.heldBy(v.Gang, held))
		}
	}
	if len(verdicts) > 0 && len(evictors) == 0 {
		w.t.Error("gangs gave way to nobody")
	}
	after := w.spent("cpu")
	for name, q := range w.queues {
		borrowed := besides || byAge && gpus[name][""] > 0 || unnamed(q, before[name])
		for _, l := range q.Quota {
			borrowed = borrowed || before[name][l.Kind] > l.Guaranteed
		}
		if now, was := after[name][""], before[name][""]; now < was && len(q.Quota) > 0 && !borrowed && !evictors[name] && !moved[name] {
			w.t.Errorf("queue %s had to give %d cpu to others, and had borrowed nothing", name, was-now)
		}
	}
	if w.p.settling {
		w.decideBy(w.p.letGo)
	}
	w.decide()
	w.restartMeanwhile()
}

// unnamed says that a queue uses something where its quota names nothing, but other kinds of nodes.
func unnamed(q Queue, uses map[string]int64) bool {
	rest := uses[""]
	for _, l := range q.Quota {
		if l.Kind == "" {
			return false
		}
		rest -= uses[l.Kind]
	}
	return rest > 0
}

// strays says that a gang has pods where it has no places.
func (w *world) strays(gang string) bool {
	return slices.ContainsFunc(w.p.nodes, func(n *node) bool { return w.p.overstays(gang, n) })
}

// restartMeanwhile holds that nobody gives way to a gang for which room is being made when the
// scheduler starts again, before those are gone who did.
func (w *world) restartMeanwhile() {
	heirs := map[string]bool{}
	for key := range w.gangs {
		for _, heir := range w.p.GaveWayTo(key) {
			if g := w.p.gangs[heir]; g != nil && g.clearance != nil {
				heirs[heir] = true
			}
		}
	}
	if len(heirs) == 0 {
		return
	}
	again := w.restart()
	for _, v := range again.Evict(len(w.gangs)) {
		if v.Reason != nil && heirs[v.Reason.Heir] {
			w.t.Errorf("after a restart %s gives way to %s, to whom others gave way whose pods have not ended", v.Gang, v.Reason.Heir)
		}
	}
}

// checkOvertook: who gave way to an elder came after it, and counts for no more.
func (w *world) checkOvertook(v, elder Gang, patience int64) {
	if v.Created <= elder.Created || v.Priority > elder.Priority || w.now-elder.Created <= patience {
		w.t.Errorf("at %d %s (created %d, priority %d) gave way to %s (created %d, priority %d)",
			w.now, v.Key, v.Created, v.Priority, elder.Key, elder.Created, elder.Priority)
	}
}
