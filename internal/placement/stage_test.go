// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
)

// stage is a scene on which time passes: pods are bound where gangs have places, and end a
// while after these are gone.
type stage struct {
	scene
	seats  map[string]map[where]string
	ending []end
	// made are so many pods.
	made int
	// raised are the moments at which others gave way to a gang.
	raised map[string][]int64
	// script says who plays; log who gave way to whom.
	script, log []string
}

// graceful pods end so many seconds after they are told to.
const graceful = 30

// end of a pod.
type end struct {
	at  int64
	pod string
}

func newStage(t *testing.T) *stage {
	return &stage{scene: scene{t, New()}, seats: map[string]map[where]string{}, raised: map[string][]int64{}}
}

// furnish nodes and queues.
func (s *stage) furnish(n func(int) int64) {
	kinds := []string{"", ""}
	if n(3) == 0 {
		kinds = []string{"old", "new"}
	}
	for i := range 1 + n(4) {
		node := Node{Name: fmt.Sprint("n", i), Ready: true, Kind: kinds[n(2)], Allocatable: Resources{"gpu": 4 * (1 + n(2)), cpu: 2 + n(10), pods: 10}}
		s.SetNode(node)
		s.tell("node %s %s %v", node.Name, node.Kind, node.Allocatable)
	}
	s.Patience = []int64{0, 2 * 60 * 60, DefaultPatience}[n(3)]
	s.tell("patience %d", s.Patience)
	for i := range 2 + n(3) {
		q := Queue{Name: fmt.Sprint("q", i)}
		if i > 1 && n(2) == 0 {
			q.Parent = fmt.Sprint("q", n(2))
		}
		for _, resource := range []string{"gpu", cpu} {
			for _, kind := range []string{"", "old", "new"} {
				if n(3) > 0 && (kind == "" || kinds[0] != "" && n(3) == 0) {
					q.Quota = append(q.Quota, Quota{resource, kind, []int64{0, 1, 2, 4, 8}[n(5)], Unlimited})
				}
			}
		}
		if err := s.SetQueue(q); err != nil {
			s.Fatal(err)
		}
		s.tell("queue %s of %q: %v", q.Name, q.Parent, q.Quota)
	}
}

// cast the gangs.
func (s *stage) cast(n func(int) int64) {
	for i := range 3 + n(6) {
		g := Gang{Key: fmt.Sprint("g", i), Queue: fmt.Sprint("q", n(4)), Created: n(100), Priority: max(int32(n(4))-2, 0)}
		if s.queues[g.Queue] == nil {
			g.Queue = "q0"
		}
		for k := range 1 + n(4)/3 {
			set := PodSet{Name: fmt.Sprint("s", k), Count: int32(1 + n(3)), Shape: Shape{Requests: Resources{}}}
			if n(4) > 0 {
				set.Shape.Requests["gpu"] = 1 + n(4)
			}
			if n(4) > 0 {
				set.Shape.Requests[cpu] = 1 + n(4)
			}
			if n(4) == 0 {
				set.Optional = int32(n(int(set.Count) + 1))
			}
			g.Sets = append(g.Sets, set)
		}
		if err := s.SetGang(g); err != nil {
			s.Fatal(err)
		}
		for _, set := range g.Sets {
			s.tell("gang %s of %s, priority %d, created %d: %d of %v, %d optional", g.Key, g.Queue, g.Priority, g.Created, set.Count, set.Shape.Requests, set.Optional)
		}
		if n(2) == 0 {
			s.take(s.Decide())
		}
	}
}

func (s *stage) tell(format string, args ...any) {
	s.script = append(s.script, fmt.Sprintf(format, args...))
}

func (s *stage) playUntil(then int64) {
	for now := s.now + 100; now < then; now = s.next(now) {
		s.play(now)
	}
}

// play what happens at a moment.
func (s *stage) play(now int64) {
	var still []end
	for _, e := range s.ending {
		if e.at > now {
			still = append(still, e)
		} else {
			s.Unbind(e.pod)
		}
	}
	s.ending = still
	s.take(s.Advance(now))
	s.take(s.Settle())
}

// take verdicts: who gave way, and what pods there are.
func (s *stage) take(verdicts []Verdict) {
	for _, v := range verdicts {
		if v.Reason != nil && v.Reason.Code == Evicted {
			if before := s.raised[v.Reason.Heir]; len(before) == 0 || before[len(before)-1] < s.now {
				s.raised[v.Reason.Heir] = append(before, s.now)
			}
			s.log = append(s.log, fmt.Sprintf("%d: %s %s", s.now, v.Gang, v.Reason))
		}
		s.seat(v)
	}
}

// seat a pod on each place, and end those that have none.
func (s *stage) seat(v Verdict) {
	has, seats := s.seats[v.Gang], map[where]string{}
	for k, set := range v.Placement {
		count := map[string]int{}
		for _, slot := range set.Slots {
			for range slot.Count {
				at := where{fmt.Sprint(count[slot.Node]), k, slot.Node}
				count[slot.Node]++
				if slot.Node == "" {
					continue
				}
				if seats[at] = has[at]; has[at] == "" {
					s.made++
					seats[at] = fmt.Sprint("pod", s.made)
					s.Bind(Pod{Key: seats[at], Node: slot.Node, Gang: v.Gang, Set: set.Set, Requests: s.gangs[v.Gang].Sets[k].Shape.Requests})
				}
			}
		}
	}
	for at, pod := range has {
		if seats[at] == "" {
			s.ending = append(s.ending, end{s.now + graceful, pod})
		}
	}
	s.seats[v.Gang] = seats
	slices.SortFunc(s.ending, func(a, b end) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.pod, b.pod)) })
}

// next moment at which something happens, or at which it is looked again in any case.
func (s *stage) next(now int64) int64 {
	next := now + 30*60
	if len(s.ending) > 0 {
		next = min(next, s.ending[0].at)
	}
	for _, ask := range []func() (int64, bool){s.NextRight, s.NextDue} {
		if at, is := ask(); is && at > now {
			next = min(next, at)
		}
	}
	return next
}
