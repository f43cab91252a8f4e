// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"slices"
	"strings"
	"testing"
)

// What follows judges by what the world was told, not by the books of the picture, who is owed
// what is promised to whom.

// path is a queue with those above it, up to but for the root, the highest first.
func (w *world) path(name string) []string {
	var path []string
	for name != "" && !slices.Contains(path, name) {
		path = append(path, name)
		name = w.queues[name].Parent
	}
	slices.Reverse(path)
	return path
}

// parts are the queues at which the ways to two gangs part, each empty where there is none.
func (w *world) parts(a, b string) (string, string) {
	x, y := w.path(w.gangs[a].Queue), w.path(w.gangs[b].Queue)
	for len(x) > 0 && len(y) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	first := func(path []string) string {
		if len(path) == 0 {
			return ""
		}
		return path[0]
	}
	return first(x), first(y)
}

// covers says that a queue that used so much is within what it is guaranteed with a gang, too.
func (w *world) covers(queue, gang string, spent map[string]map[string]int64) bool {
	asks, some := int64(0), false
	for k, n := range w.p.gangs[gang].lacks() {
		asks += int64(n) * w.gangs[gang].Sets[k].Shape.Requests["cpu"]
	}
	for _, l := range w.queues[queue].Quota {
		if l.Guaranteed == 0 && l.Kind != "" || asks == 0 {
			continue
		}
		if spent[queue][l.Kind]+asks > l.Guaranteed {
			return false
		}
		some = true
	}
	return some
}

// owes says that a promise must not hold back a gang, when so much was used.
func (w *world) owes(pr *promise, gang string, spent map[string]map[string]int64) bool {
	mine, theirs := w.parts(gang, pr.gang.Key)
	if mine == "" || pr.firm || !w.covers(mine, gang, spent) || w.isBeyond(pr, mine, gang) {
		return false
	}
	return theirs == "" || !pr.isWithin(theirs)
}

// isBeyond says that a promise is on nodes of a kind on which a queue is guaranteed none of what a
// gang asks for.
func (w *world) isBeyond(pr *promise, queue, gang string) bool {
	asks := int64(0)
	for k, n := range w.p.gangs[gang].lacks() {
		asks += int64(n) * w.gangs[gang].Sets[k].Shape.Requests["cpu"]
	}
	return asks > 0 && slices.ContainsFunc(w.queues[queue].Quota, func(l Quota) bool {
		return l.Kind != "" && l.Guaranteed == 0 && slices.ContainsFunc(pr.places, func(at place) bool {
			return at.node.Kind == l.Kind && w.gangs[pr.gang.Key].Sets[at.set].Shape.Requests["cpu"] > 0
		})
	})
}

func (pr *promise) isWithin(name string) bool {
	return slices.ContainsFunc(pr.within, func(q *queue) bool { return q.Name == name })
}

// follows says that a promise is to be made after one to a gang which will be within what its
// queue is guaranteed when it starts, though it is not now.
func (w *world) follows(pr *promise, g *gang) bool {
	mine, theirs := w.parts(g.Key, pr.gang.Key)
	return mine != "" && g.promise != nil && g.promise.isWithin(mine) && !pr.firm && !pr.isWithin(theirs)
}

// heeds says that there is a promise that a gang must not delay.
func (w *world) heeds(g *gang) bool {
	if w.p.plan == nil {
		return false
	}
	spent := w.spent("cpu")
	return slices.ContainsFunc(w.p.plan.promises, func(pr *promise) bool { return pr.gang != g && !w.owes(pr, g.Key, spent) })
}

// rights are the gangs for whose sake each promise may be delayed, as things are: those who pass
// it, and those who pass one made before it, which is made anew before it.
func (w *world) rights() map[*promise][]string {
	rights := map[*promise][]string{}
	if w.p.plan == nil {
		return rights
	}
	spent := w.spent("cpu")
	for i, pr := range w.p.plan.promises {
		rights[pr] = []string{}
		if i > 0 {
			rights[pr] = slices.Clone(rights[w.p.plan.promises[i-1]])
		}
		for key, g := range w.p.gangs {
			if key != pr.gang.Key && (w.owes(pr, key, spent) || g.outranks(pr.gang) || w.follows(pr, g) || w.p.firm(g)) {
				rights[pr] = append(rights[pr], key)
			}
		}
	}
	return rights
}

// checkDelay of promises that were open, which is allowed for the sake of those alone who have a
// right to it, and who got places or a promise.
func (w *world) checkDelay(before map[*promise][]string) {
	for pr, rights := range before {
		key := pr.gang.Key
		if w.p.gangs[key].sets[0].class.ties != nil || w.latest[key].State == Placed {
			continue
		}
		again, still := w.p.PlannedStart(key)
		if still && again.At <= pr.at {
			continue
		}
		if !slices.ContainsFunc(rights, func(key string) bool { return w.latest[key].State == Placed || w.p.gangs[key].promise != nil }) {
			w.t.Errorf("%s was promised to start at %d; after a decision it is %d (%t)", key, pr.at, again.At, still)
		}
	}
}

// TestClaimsOfAPromise: on nodes of a kind of which its project is guaranteed nothing it borrows.
func TestClaimsOfAPromise(t *testing.T) {
	for kind, want := range map[string]int{"new": 0, "old": 1} {
		s := scene{t, New()}
		s.SetNode(Node{Name: "n", Kind: kind, Ready: true, Allocatable: Resources{"gpu": 1, pods: 9}})
		if err := s.SetQueue(Queue{Name: "team", Quota: []Quota{{"gpu", "", 4, Unlimited}, {"gpu", "new", 0, Unlimited}}}); err != nil {
			t.Fatal(err)
		}
		s.comes(Gang{Key: "runs", Created: 1, Limit: 100, Protected: 100}, 1, "gpu")
		s.Advance(1)
		s.comes(Gang{Key: "waits", Queue: "team", Created: 2}, 1, "gpu")
		s.Advance(2)
		s.Settle()
		if pr := s.gangs["waits"].promise; pr == nil || len(pr.within) != want {
			t.Errorf("on nodes of kind %s it is promised %+v, want it within the guarantee of %d queues", kind, pr, want)
		}
	}
}

// TestPassesWhereItIsGuaranteed: a gang within its project's guarantee passes a promise to one that
// borrows, but not on nodes of a kind of which its project is guaranteed none.
func TestPassesWhereItIsGuaranteed(t *testing.T) {
	for kind, want := range map[string]bool{"new": false, "old": true} {
		s := scene{t, New()}
		s.SetNode(Node{Name: "n", Kind: kind, Ready: true, Allocatable: Resources{"gpu": 2, pods: 9}})
		for _, q := range []Queue{{Name: "team", Quota: []Quota{{"gpu", "", 4, Unlimited}, {"gpu", "new", 0, Unlimited}}}, {Name: "borrower"}} {
			if err := s.SetQueue(q); err != nil {
				t.Fatal(err)
			}
		}
		s.comes(Gang{Key: "runs", Created: 1, Limit: 100, Protected: 100}, 1, "gpu")
		s.Advance(1)
		large := Gang{Key: "large", Queue: "borrower", Created: 2}
		large.Sets = []PodSet{{Name: "w", Count: 1, Shape: Shape{Requests: Resources{"gpu": 2}}}}
		if err := s.SetGang(large); err != nil {
			t.Fatal(err)
		}
		s.Advance(2)
		s.Settle()
		s.planned("large", 101)
		s.comes(Gang{Key: "small", Queue: "team", Created: 3}, 1, "gpu")
		if s.Advance(3); s.gangs["small"].runs() != want {
			t.Errorf("on nodes of kind %s it runs: %t, want %t", kind, !want, want)
		}
	}
}

// TestClaims: which queues are within what they are guaranteed with a gang of so many pods of 1
// cpu and 1 GPU, of what is used already.
func TestClaims(t *testing.T) {
	const gpu, most = "nvidia.com/gpu", Unlimited
	for name, c := range map[string]struct {
		quota, above []Quota
		pods         int32
		want         string
	}{
		"nothing is guaranteed":       {nil, nil, 1, ""},
		"nothing of what it asks for": {[]Quota{{"fpga", "", 8, most}}, nil, 1, ""},
		"within":                      {[]Quota{{gpu, "", 4, most}}, nil, 2, "team"},
		"beyond, with what is used":   {[]Quota{{gpu, "", 4, most}}, nil, 3, ""},
		"of two resources beyond one": {[]Quota{{gpu, "", 8, most}, {cpu, "", 3000, most}}, nil, 2, ""},
		"nothing of the other one":    {[]Quota{{gpu, "", 8, most}, {cpu, "", 0, most}}, nil, 2, ""},
		"the other one is not named":  {[]Quota{{gpu, "", 8, most}}, nil, 2, "team"},
		"of a kind nothing":           {[]Quota{{gpu, "", 8, most}, {gpu, "h100", 0, most}}, nil, 2, "team"},
		"of a kind of nodes":          {[]Quota{{gpu, "", 8, most}, {gpu, "h100", 2, most}}, nil, 1, ""},
		"of another kind":             {[]Quota{{gpu, "", 8, most}, {gpu, "a100", 2, most}}, nil, 2, "team"},
		"of a kind beyond":            {[]Quota{{gpu, "a100", 2, most}}, nil, 3, ""},
		"above, too":                  {[]Quota{{gpu, "", 4, most}}, []Quota{{gpu, "", 4, most}}, 2, "team lab"},
		"above alone":                 {nil, []Quota{{gpu, "", 4, most}}, 2, "lab"},
		"not above":                   {[]Quota{{gpu, "", 4, most}}, []Quota{{gpu, "", 3, most}}, 2, "team"},
	} {
		t.Run(name, func(t *testing.T) {
			s := scene{t, New()}
			s.SetNode(Node{Name: "n", Kind: "h100", Ready: true, Allocatable: Resources{gpu: 8, cpu: 8000, pods: 10}})
			for _, q := range []Queue{{Name: "lab", Quota: c.above}, {Name: "team", Parent: "lab", Quota: c.quota}} {
				if err := s.SetQueue(q); err != nil {
					t.Fatal(err)
				}
			}
			submit := func(key string, pods int32) {
				g := Gang{Key: key, Queue: "team", Sets: []PodSet{{Name: "w", Count: pods, Shape: Shape{Requests: Resources{gpu: 1, cpu: 1000}}}}}
				if err := s.SetGang(g); err != nil {
					t.Fatal(err)
				}
			}
			submit("uses two", 2)
			s.states(0)
			submit("asks", c.pods)
			var got []string
			for _, q := range s.gangs["asks"].claims(inUse) {
				got = append(got, q.Name)
			}
			if got := strings.Join(got, " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
