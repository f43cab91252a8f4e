// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"fmt"
	"slices"

	"slipway.dev/slipway/internal/placement"
)

// run is a job as it goes.
type run struct {
	*Job
	outcome Outcome
	// total work, and what of it is done and saved, in seconds of one pod: an elastic
	// gang that runs with half of its pods takes twice the time.
	total, done int64

	running bool
	// with so many pods, which use these amounts.
	with    int64
	amounts []amount
	// since is when it began to run this time, attempt how often it has.
	since     int64
	attempt   int
	placement []placement.SetPlacement
	// pods that are bound.
	pods []placement.Pod
}

// take a verdict.
func (s *simulation) take(v placement.Verdict) {
	r := s.byKey[v.Gang]
	if r == nil {
		return
	}
	r.note(v, s.now)
	r.outcome.Never = v.State == placement.Never
	switch {
	case v.State == placement.Placed:
		if r.running && slices.Equal(places(r.placement), places(v.Placement)) {
			return
		}
		s.interrupt(r)
		s.start(r, v.Placement)
	case evicted(v):
		r.outcome.Evictions++
		s.interrupt(r)
		s.expel(r)
		r.outcome.Reason = v.Reason
	default:
		s.interrupt(r)
		r.outcome.Reason = v.Reason
		if r.outcome.Why == nil && r.outcome.Started == never {
			r.outcome.Why = v.Reason
		}
	}
}

func evicted(v placement.Verdict) bool { return v.Reason != nil && v.Reason.Code == placement.Evicted }

// resume a job that ran before the simulation began.
func (s *simulation) resume(r *run, placed []placement.SetPlacement) {
	r.outcome.Started, r.outcome.Resumed = min(r.Gang.Started, s.now), true
	s.run(r, placed, r.outcome.Started)
}

// granted is what counts of the placement that a gang is said to have, as the scheduler
// reads it: no more places than each of its sets has pods.
func granted(g *placement.Gang) []placement.SetPlacement {
	var out []placement.SetPlacement
	for _, set := range g.Sets {
		i := slices.IndexFunc(g.Placement, func(p placement.SetPlacement) bool { return p.Set == set.Name })
		if i < 0 {
			continue
		}
		has, left := placement.SetPlacement{Set: set.Name}, set.Count
		for _, slot := range g.Placement[i].Slots {
			if slot.Count <= 0 || left == 0 {
				break
			}
			slot.Count = min(slot.Count, left)
			has.Slots = append(has.Slots, slot)
			left -= slot.Count
		}
		out = append(out, has)
	}
	return out
}

// start, or go on, with a placement.
func (s *simulation) start(r *run, placed []placement.SetPlacement) {
	if r.outcome.Started == never {
		r.outcome.Started = s.now
		s.happens(s.now)
	}
	r.outcome.Placement = placed
	s.run(r, placed, s.now)
	s.seat(r, placed)
}

// run on places since a moment.
func (s *simulation) run(r *run, placed []placement.SetPlacement, since int64) {
	r.running, r.since, r.placement = true, since, placed
	r.attempt++
	r.with, r.amounts = s.holding(r, placed)
	s.meter.use(r.amounts, 1, r.Gang.Queue)
	attempt := r.attempt
	s.save(r, attempt)
	if r.RunTime == 0 {
		return
	}
	s.agenda.add(max(r.expected(), s.now), ends, func() {
		if r.running && r.attempt == attempt {
			s.end(r)
		}
	})
}

// save what a job has done, now and again until it is interrupted or ends, and say so: who
// has just saved loses little by giving way. Of one that runs for ever that is left out
// where the simulation would never be over.
func (s *simulation) save(r *run, attempt int) {
	if r.Checkpoint == 0 || r.RunTime == 0 && s.in.Until == 0 {
		return
	}
	next := s.now + r.Checkpoint - (s.now-r.since)%r.Checkpoint
	s.agenda.add(next, changes, func() {
		if !r.running || r.attempt != attempt {
			return
		}
		g := r.Gang
		g.Started, g.Checkpointed = r.since, s.now
		s.driver.update(g)
		s.save(r, attempt)
	})
}

// expected end of a job that runs.
func (r *run) expected() int64 {
	with := max(r.with, 1)
	return r.since + (r.total-r.done+with-1)/with
}

// holding is how many pods have places, and what they ask for.
func (s *simulation) holding(r *run, placed []placement.SetPlacement) (int64, []amount) {
	pods, sum := int64(0), placement.Resources{}
	for _, set := range placed {
		have := int64(0)
		for _, slot := range set.Slots {
			if slot.Node != "" {
				have += int64(slot.Count)
			}
		}
		pods += have
		for name, n := range r.podSet(set.Set).Shape.Requests {
			sum[name] += n * have
		}
	}
	return pods, s.meter.amounts(sum)
}

// interrupt a job that runs: what it did since its last checkpoint is lost. So it is
// for an elastic gang that grows or shrinks, which starts its ranks anew.
func (s *simulation) interrupt(r *run) {
	if !r.running {
		return
	}
	worked := s.now - r.since
	lost := worked
	if r.Checkpoint > 0 {
		lost = worked % r.Checkpoint
	}
	r.done += (worked - lost) * r.with
	r.outcome.Lost += lost
	r.running = false
	s.meter.use(r.amounts, -1, r.Gang.Queue)
	s.meter.waste(r.amounts, lost)
}

func (s *simulation) end(r *run) {
	r.done, r.running = r.total, false
	r.outcome.Ended = s.now
	s.happens(s.now)
	s.meter.use(r.amounts, -1, r.Gang.Queue)
	for _, pod := range r.pods {
		s.unbind(pod)
	}
	r.pods = nil
	s.driver.withdraw(r.Gang.Key)
}

// expel the pods of an evicted gang when their grace period is over.
func (s *simulation) expel(r *run) {
	leaving := r.pods
	r.pods = nil
	s.agenda.add(s.now+s.in.Grace, leaves, func() {
		for _, pod := range leaving {
			s.unbind(pod)
		}
	})
}

// seat a pod on each place, and take those away that are elsewhere.
func (s *simulation) seat(r *run, placed []placement.SetPlacement) {
	there := map[place]placement.Pod{}
	for _, pod := range r.pods {
		if s.bound[pod.Node][pod.Key] {
			there[place{pod.Set, pod.Rank, pod.Node}] = pod
		}
	}
	var stay, missing []placement.Pod
	for _, at := range places(placed) {
		if pod, is := there[at]; is {
			stay = append(stay, pod)
			delete(there, at)
		} else {
			missing = append(missing, r.pod(at))
		}
	}
	for _, pod := range r.pods {
		if _, is := there[place{pod.Set, pod.Rank, pod.Node}]; is {
			s.unbind(pod)
		}
	}
	for _, pod := range missing {
		s.bind(pod)
	}
	r.pods = append(stay, missing...)
}

// place of a rank.
type place struct {
	set  string
	rank int32
	node string
}

// places of the ranks that have one: an elastic gang runs without some.
func places(placed []placement.SetPlacement) []place {
	var all []place
	for _, set := range placed {
		rank := int32(0)
		for _, slot := range set.Slots {
			if slot.Node == "" {
				rank += slot.Count
				continue
			}
			for range slot.Count {
				all = append(all, place{set.Set, rank, slot.Node})
				rank++
			}
		}
	}
	return all
}

// pod of a rank, of this attempt.
func (r *run) pod(at place) placement.Pod {
	pod := placement.Pod{
		Key:  fmt.Sprintf("%s/%s/%d/%d", r.Gang.Key, at.set, at.rank, r.attempt),
		Node: at.node, Gang: r.Gang.Key, Set: at.set, Rank: at.rank,
	}
	set := r.podSet(at.set)
	pod.Requests, pod.HostPorts = set.Shape.Requests, set.Shape.HostPorts
	pod.Namespace, pod.Labels, pod.Apart = set.Namespace, set.Labels, set.Shape.Apart
	return pod
}

// podSet of a name.
func (r *run) podSet(name string) placement.PodSet {
	for _, s := range r.Gang.Sets {
		if s.Name == name {
			return s
		}
	}
	return placement.PodSet{}
}

// finish the account of a job at the end of the simulation.
func (r *run) finish(now int64) Outcome {
	o := r.outcome
	o.Running = r.running
	if o.Ended == never && r.running && r.RunTime > 0 {
		o.Expected = r.expected()
	}
	o.Waited = now - o.Arrived
	if o.Started != never {
		o.Waited = o.Started - o.Arrived
		if o.Running || o.Ended != never {
			o.Reason = nil
		}
	}
	return o
}
