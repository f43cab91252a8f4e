// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

// plan holds that decisions do not delay what was promised: planned again after
// others came, every gang that still waits starts as early as before. Gangs of several sets are
// left out, since for them the search for places is not exhaustive, and those tied to
// other pods, since only room is kept for a promise.
func (w *world) plan() {
	w.decide()
	w.p.Plan(3)
	w.keptAsPlanned()
	promised := map[string]int64{}
	for key := range w.gangs {
		if start, is := w.p.PlannedStart(key); is {
			promised[key] = start.At
			if start.At < w.now || start.Confidence <= 0 || start.Confidence > 1 {
				w.t.Errorf("%s was promised %+v, and it is %d", key, start, w.now)
			}
		}
	}
	// Others come meanwhile.
	for range w.n(4) {
		if g := w.gang(); w.gangs[g.Key].Key == "" && len(g.Placement) == 0 {
			w.setGang(g)
		}
	}
	w.decide()
	w.p.Plan(3)
	for key, at := range promised {
		if len(w.gangs[key].Sets) > 1 || w.p.gangs[key].sets[0].class.ties != nil || w.latest[key].State == Placed {
			continue
		}
		if again, still := w.p.PlannedStart(key); !still || again.At > at {
			w.t.Errorf("%s was promised to start at %d; after a decision it is %d (%t)", key, at, again.At, still)
		}
	}
}

// keptAsPlanned: planning changed nothing but what is kept.
func (w *world) keptAsPlanned() {
	for name, n := range w.p.byName {
		if w.p.plan == nil && !n.kept.zero() {
			w.t.Errorf("node %s keeps %v for nobody", name, n.kept)
		}
	}
}
