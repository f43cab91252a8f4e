// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "fmt"

// plan holds that decisions delay what was promised for the sake of those alone who have a
// right to it: planned again after others came, every other gang that still waits starts as
// early as before. Those tied to other pods are left out, since only room is kept for a promise.
func (w *world) plan() {
	team := fmt.Sprint("q", w.n(4))
	if w.n(2) == 0 {
		w.setQueue(Queue{Name: team, Quota: []Quota{{Resource: "cpu", Guaranteed: 2500, Limit: 8000}}})
	}
	w.decide()
	w.p.Plan(3)
	w.keptAsPlanned()
	checkFrees(w.t, w.p)
	for key := range w.gangs {
		if start, is := w.p.PlannedStart(key); is && (start.At < w.now || start.Confidence <= 0 || start.Confidence > 1) {
			w.t.Errorf("%s was promised %+v, and it is %d", key, start, w.now)
		}
	}
	// Others come meanwhile.
	for range w.n(4) {
		g := w.gang()
		if w.n(2) == 0 {
			g = w.modest(g, team)
		}
		if w.gangs[g.Key].Key == "" && len(g.Placement) == 0 {
			w.setGang(g)
		}
	}
	before := w.rights()
	w.decide()
	w.p.Plan(3)
	w.checkDelay(before)
}

// modest gang of a queue in the stead of another: more often than others it is within what
// that is guaranteed, and fits.
func (w *world) modest(g Gang, queue string) Gang {
	return Gang{Key: g.Key, Created: g.Created, Limit: g.Limit % 200, Queue: queue, Sets: []PodSet{
		{Name: "s0", Count: 1, Shape: Shape{Requests: Resources{"cpu": 500}}, Namespace: namespace, Labels: g.Sets[0].Labels},
	}}
}

// keptAsPlanned: planning changed nothing but what is kept.
func (w *world) keptAsPlanned() {
	for name, n := range w.p.byName {
		if w.p.plan == nil && !n.kept.zero() {
			w.t.Errorf("node %s keeps %v for nobody", name, n.kept)
		}
	}
}
