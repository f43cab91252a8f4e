// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"cmp"
	"fmt"
	"slices"

	"slipway.dev/slipway/internal/placement"
)

// simulation under way.
type simulation struct {
	in      *Input
	picture *placement.Picture
	driver  driver
	agenda  agenda
	meter   *meter
	now     int64
	runs    []*run
	byKey   map[string]*run
	// bound are the keys of the pods that the picture knows, by node.
	bound map[string]map[string]bool
	// news is when last something happened, or will, that is more than turns which gangs take, and slowest is
	// for how long a job may run without news.
	news, slowest int64
	// others are what pods of no gang use, by key; remains are the keys of what remains of gangs.
	others  map[string][]amount
	remains map[string]bool
}

// Run the input under a policy. It fails on an input of which there is no
// simulation; what single gangs cannot have is told in their outcomes.
func Run(in Input, policy Policy) (*Result, error) {
	if err := in.validate(); err != nil {
		return nil, err
	}
	return simulate(in, policy, policy.driver)
}

func simulate(in Input, policy Policy, drive func(*placement.Picture, *Input) driver) (*Result, error) {
	p := placement.New()
	p.Levels = in.Levels
	if in.HalfLife > 0 {
		p.HalfLife = in.HalfLife
	}
	s := &simulation{
		in: &in, picture: p, driver: drive(p, &in), meter: newMeter(in.Start), now: in.Start,
		byKey: map[string]*run{}, bound: map[string]map[string]bool{}, others: map[string][]amount{},
		remains: map[string]bool{},
	}
	p.Elapse(in.Start)
	if err := s.build(); err != nil {
		return nil, err
	}
	if err := s.play(); err != nil {
		return nil, err
	}
	return s.result(policy), nil
}

// build the cluster as it is at the start, and note what will happen.
func (s *simulation) build() error {
	for _, n := range s.in.Nodes {
		if s.interrupted() {
			return ErrInterrupted
		}
		s.setNode(n)
	}
	if err := s.setQueues(s.in.Queues); err != nil {
		return err
	}
	for _, q := range s.in.Refused {
		_ = s.picture.SetQueue(q) // gangs of it are told why
	}
	for _, name := range sortedKeys(s.in.Namespaces) {
		s.picture.SetNamespace(name, s.in.Namespaces[name])
	}
	for _, past := range s.in.Past {
		s.picture.Recall(past)
	}
	for i := range s.in.Jobs {
		s.enrol(&s.in.Jobs[i])
	}
	for _, g := range s.in.Remains {
		if err := s.picture.SetGang(g); err != nil {
			return fmt.Errorf("what remains of a gang: %w", err)
		}
		s.remains[g.Key] = true
	}
	for _, pod := range s.in.Pods {
		s.adopt(pod)
	}
	for _, c := range s.in.Changes {
		s.happens(c.At)
		s.agenda.add(max(c.At, s.in.Start), changes, func() { s.change(c) })
	}
	return nil
}

// setQueues whatever order parents and children are in.
func (s *simulation) setQueues(queues []placement.Queue) error {
	for _, q := range queues {
		if err := s.picture.SetQueue(q); err != nil {
			return fmt.Errorf("project %s: %w", q.Name, err)
		}
	}
	return nil
}

func (s *simulation) enrol(j *Job) {
	r := &run{Job: j, outcome: Outcome{Gang: j.Gang.Key, Queue: j.Gang.Queue, RunTime: j.RunTime, Arrived: max(j.Arrives, s.in.Start), Started: never, Ended: never}}
	r.outcome.Size, r.outcome.Asks = measure(&j.Gang)
	r.outcome.Pods = pods(&j.Gang)
	r.total = j.RunTime * pods(&j.Gang)
	s.slowest = max(s.slowest, r.total/max(fewest(&j.Gang), 1))
	s.happens(r.outcome.Arrived)
	s.runs = append(s.runs, r)
	s.byKey[j.Gang.Key] = r
	if len(j.Gang.Placement) > 0 {
		s.submit(r)
		if placed := granted(&j.Gang); !j.Gang.Waits && !j.Gang.Unfinished && r.outcome.Refused == "" && len(places(placed)) > 0 {
			r.outcome.Arrived = min(j.Arrives, j.Gang.Started)
			s.resume(r, placed)
		}
		return
	}
	s.agenda.add(r.outcome.Arrived, arrives, func() { s.submit(r) })
}

func (s *simulation) submit(r *run) {
	if err := s.driver.submit(r.Gang); err != nil {
		r.outcome.Refused = err.Error()
	}
}

// turns is for how many seconds gangs that never end may take turns before it is seen that nothing else
// happens: more than any of them waits for its own.
const turns = 7 * 24 * 3600

// happens at a moment something that is more than a turn.
func (s *simulation) happens(at int64) { s.news = max(s.news, at) }

// over says that nothing happens from a moment on: the time is over or, where there is none, gangs
// do nothing but give way to each other.
func (s *simulation) over(at int64) bool {
	if s.in.Until > 0 {
		return at > s.in.Until
	}
	return at > max(s.news, s.in.Start)+s.slowest+turns
}

// play until nothing happens any more.
func (s *simulation) play() error {
	for at := s.now; ; {
		if s.interrupted() {
			return ErrInterrupted
		}
		s.meter.advance(at)
		s.now = at
		s.agenda.run(at)
		for _, v := range s.driver.decide(at) {
			s.take(v)
		}
		next, more := s.next()
		if !more || s.over(next) {
			break
		}
		at = next
	}
	if s.in.Until > s.now {
		s.meter.advance(s.in.Until)
		s.now = s.in.Until
	}
	return nil
}

func (s *simulation) interrupted() bool { return s.in.Interrupted != nil && s.in.Interrupted() }

// next moment at which something happens.
func (s *simulation) next() (int64, bool) {
	at, more := s.agenda.next()
	if loss, is := s.picture.NextLoss(); is && loss > s.now && (!more || loss < at) {
		at, more = loss, true
	}
	if wake, is := s.driver.wake(); is && (!more || wake < at) {
		at, more = wake, true
	}
	// That a start is put off is no reason to go on.
	if late, is := s.picture.NextDue(); is && more && late > s.now && late < at {
		at = late
	}
	return at, more
}

func (s *simulation) change(c Change) {
	for _, n := range c.SetNodes {
		s.setNode(n)
	}
	for _, name := range c.DropNodes {
		s.dropNode(name)
	}
	for _, q := range c.SetQueues {
		_ = s.picture.SetQueue(q) // what cannot be stays as it was, as in the live scheduler
	}
	for _, name := range c.DropQueues {
		s.picture.DeleteQueue(name)
	}
}

func (s *simulation) setNode(n placement.Node) {
	s.picture.SetNode(n)
	s.meter.setNode(n)
}

// dropNode with the pods on it.
func (s *simulation) dropNode(name string) {
	s.picture.DeleteNode(name)
	s.meter.dropNode(name)
	for _, key := range sortedKeys(s.bound[name]) {
		s.picture.Unbind(key)
		s.meter.use(s.others[key], -1, nobody)
		delete(s.others, key)
	}
	delete(s.bound, name)
}

func (s *simulation) bind(pod placement.Pod) {
	s.picture.Bind(pod)
	if s.bound[pod.Node] == nil {
		s.bound[pod.Node] = map[string]bool{}
	}
	s.bound[pod.Node][pod.Key] = true
}

func (s *simulation) unbind(pod placement.Pod) {
	s.picture.Unbind(pod.Key)
	delete(s.bound[pod.Node], pod.Key)
}

// adopt a pod that is there at the start.
func (s *simulation) adopt(pod placement.Pod) {
	s.bind(pod)
	r := s.byKey[pod.Gang]
	if s.leaves(pod, r) {
		s.agenda.add(s.now+s.in.Grace, leaves, func() { s.unbind(pod) })
		return
	}
	if r != nil {
		r.pods = append(r.pods, pod)
		return
	}
	s.others[pod.Key] = s.meter.amounts(pod.Requests)
	s.meter.use(s.others[pod.Key], 1, nobody)
}

// leaves says that a pod, of a run or of nobody's, is on its way out: it is told to end, or of a
// gang that gave up this place.
func (s *simulation) leaves(pod placement.Pod, r *run) bool {
	switch {
	case pod.Leaving || s.remains[pod.Gang]:
		return true
	case r == nil || len(r.Gang.GaveWayTo) == 0:
		return false
	}
	return !r.running || !slices.Contains(places(r.placement), place{pod.Set, pod.Rank, pod.Node})
}

func (s *simulation) result(policy Policy) *Result {
	s.explain()
	out := &Result{Policy: policy, Start: s.in.Start, End: s.now, Queues: s.in.Queues, Use: s.meter.totals(), Projects: s.meter.projects()}
	for _, r := range s.runs {
		out.Jobs = append(out.Jobs, r.finish(s.now))
	}
	slices.SortStableFunc(out.Jobs, func(a, b Outcome) int {
		return cmp.Or(cmp.Compare(a.Arrived, b.Arrived), cmp.Compare(a.Gang, b.Gang))
	})
	return out
}

// explain why those wait that still do.
func (s *simulation) explain() {
	for {
		news, more := s.picture.Refresh(len(s.runs))
		for _, v := range news {
			if r := s.byKey[v.Gang]; r != nil && !r.running {
				r.outcome.Reason = v.Reason
			}
		}
		if !more {
			return
		}
	}
}
