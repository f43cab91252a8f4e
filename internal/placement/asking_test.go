// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"testing"
)

// TestManyThatAskInVain do not keep the one behind them from what it is guaranteed, be they alike
// or each another, and be it that something happens all the time.
func TestManyThatAskInVain(t *testing.T) {
	for name, c := range map[string]struct{ alike, busy bool }{
		"alike": {true, false}, "different": {false, false}, "different, and things happen": {false, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := askInVain(t, c.alike)
			p.Advance(200)
			turns := 0
			for ; turns < 10 && !p.gangs["slow"].runs(); turns++ {
				if at, is := p.NextRight(); turns > 0 && !c.busy && (!is || at > p.now+1) {
					t.Errorf("it is looked again at %d (%t), and not soon", at, is)
				}
				if p.Settle(); c.busy {
					p.Bind(Pod{Key: "other", Node: "fast", Requests: Resources{cpu: 1}})
					p.Unbind("other")
					p.Decide()
				}
			}
			if turns == 10 {
				t.Error("it waits, though what it is guaranteed was borrowed")
			}
			for range 10 {
				p.Settle()
			}
			if at, _ := p.NextRight(); !c.busy && at <= p.now+1 {
				t.Error("it is looked again soon, although all have asked and nothing happens")
			}
			for i := range 2 * evictors {
				p.DeleteGang(fmt.Sprint("fast", i))
			}
			for range 3 {
				p.Settle()
			}
			if len(p.denials) > 0 {
				t.Errorf("%d who are gone are remembered", len(p.denials))
			}
		})
	}
}

// TestAsksAgainWhenSomethingHappened: it asked in vain, and a moment later it need not.
func TestAsksAgainWhenSomethingHappened(t *testing.T) {
	s := scene{t, New()}
	s.SetNode(Node{Name: "n", Ready: true, Allocatable: Resources{"gpu": 2, pods: 9}})
	for key, priority := range map[string]int32{"low": 0, "as high": 1} {
		on := []SetPlacement{{"w", []Slot{{"n", 1}}}}
		s.comes(Gang{Key: key, Priority: priority, Started: 1, Placement: on}, 1, "gpu")
	}
	s.comes(Gang{Key: "high", Priority: 1, Created: 2}, 2, "gpu")
	s.Advance(100)
	s.Settle()
	if !s.gangs["low"].runs() {
		t.Fatal("it gives way in vain")
	}
	s.DeleteGang("as high")
	s.Advance(101)
	s.Settle()
	if !s.gangs["high"].runs() {
		t.Errorf("it does not ask again: %s", s.gangs["high"].told.Reason)
	}
}

// TestAsksAgainWhenOtherPromisesAreDue: it asked in vain as long as what it wants was kept for the
// promise that is due before it ends. Now another one is, though as many are and the same places
// are promised: a run goes on for longer than expected.
func TestAsksAgainWhenOtherPromisesAreDue(t *testing.T) {
	s := scene{t, New()}
	for name, has := range map[string]Resources{"n1": {"gpu": 2, "disk": 1}, "n2": {"port": 1}} {
		has[pods] = 9
		s.SetNode(Node{Name: name, Ready: true, Allocatable: has})
	}
	comes := func(g Gang, asks Resources) {
		g.Sets = []PodSet{{Name: "w", Count: 1, Shape: Shape{Requests: asks}}}
		if err := s.SetGang(g); err != nil {
			t.Fatal(err)
		}
	}
	on := func(node string) []SetPlacement { return []SetPlacement{{"w", []Slot{{node, 1}}}} }
	comes(Gang{Key: "too long", Priority: 1, Started: 1, Limit: 99, Placement: on("n1")}, Resources{"gpu": 1})
	comes(Gang{Key: "in time", Priority: 1, Started: 1, Limit: 299, Placement: on("n2")}, Resources{"port": 1})
	comes(Gang{Key: "low", Started: 1, Placement: on("n1")}, Resources{"disk": 1})
	comes(Gang{Key: "promised n1", Created: 1, Priority: 1}, Resources{"gpu": 2})
	comes(Gang{Key: "promised n2", Created: 2, Priority: 1}, Resources{"port": 1})
	settle := func(now, first, second int64) {
		s.Advance(now)
		s.Settle()
		s.planned("promised n1", first)
		s.planned("promised n2", second)
	}
	settle(194, 288, 300)
	comes(Gang{Key: "high", Created: 3, Priority: 1, Limit: 99}, Resources{"gpu": 1, "disk": 1})
	settle(195, 290, 300)
	settle(201, 302, 300)
	if s.gangs["high"].runs() {
		t.Fatal("it runs, though it delays who was promised the node")
	}
	if settle(202, 304, 300); !s.gangs["high"].runs() {
		t.Errorf("it does not ask again: %s", s.gangs["high"].told.Reason)
	}
}

// TestKeptFrom: the number tells apart what is kept, on which node and of whose limit.
func TestKeptFrom(t *testing.T) {
	n1, n2 := &node{Node: Node{Name: "n1"}}, &node{Node: Node{Name: "n2"}}
	behind := func(n int64) [][]vector { return [][]vector{{nil, {n}}} }
	seen := map[uint64]string{}
	for name, pl := range map[string]*plan{
		"nothing":     nil,
		"one":         {kept: []*keeping{{touched: n1, behind: behind(1)}}},
		"two":         {kept: []*keeping{{touched: n1, behind: behind(2)}}},
		"on another":  {kept: []*keeping{{touched: n2, behind: behind(1)}}},
		"of a limit":  {promises: []*promise{{gang: &gang{queue: newQueue("a")}}}, kept: []*keeping{{behind: behind(1)}}},
		"of another":  {promises: []*promise{{gang: &gang{queue: newQueue("b")}}}, kept: []*keeping{{behind: behind(1)}}},
		"of two":      {promises: []*promise{{gang: &gang{queue: newQueue("a")}}}, kept: []*keeping{{behind: behind(1)}, {behind: behind(1)}}},
		"of no limit": {promises: []*promise{{gang: &gang{queue: newQueue("a")}}}},
	} {
		p := New()
		p.plan = pl
		number := (&eviction{p: p, kept: map[duty]uint64{}}).keptFrom(duty{0, 1})
		if other, is := seen[number]; is {
			t.Errorf("%q and %q are the same", name, other)
		}
		seen[number] = name
		if again := (&eviction{p: p, kept: map[duty]uint64{}}).keptFrom(duty{0, 1}); again != number {
			t.Errorf("%q is %d and then %d", name, number, again)
		}
	}
}

// askInVain makes a picture in which many wait whom others need not give way to, and behind them
// one to whom they must.
func askInVain(t *testing.T, alike bool) *Picture {
	p := New()
	for _, kind := range []string{"fast", "slow"} {
		p.SetNode(Node{Name: kind, Ready: true, Allocatable: Resources{"a/gpu": 8, cpu: 1000, pods: 99}, Labels: map[string]string{"kind": kind}})
	}
	for _, q := range []Queue{{Name: "owner", Quota: []Quota{{Resource: "a/gpu", Guaranteed: 16, Limit: Unlimited}}}, {Name: "borrower"}} {
		if err := p.SetQueue(q); err != nil {
			t.Fatal(err)
		}
	}
	gang := func(key, queue, kind string, gpus, cpus, created, protected int64) {
		g := Gang{Key: key, Queue: queue, Created: created, Protected: protected, Sets: []PodSet{{Name: "w", Count: 1, Shape: Shape{
			Requests: Resources{"a/gpu": gpus, cpu: cpus}, Selector: map[string]string{"kind": kind}}}}}
		if err := p.SetGang(g); err != nil {
			t.Fatal(err)
		}
	}
	gang("protected", "borrower", "fast", 8, 0, 1, 3600)
	gang("victim", "borrower", "slow", 8, 0, 1, 0)
	p.Advance(10)
	for i := range int64(2 * evictors) {
		cpus := i
		if alike {
			cpus = 0
		}
		gang(fmt.Sprint("fast", i), "owner", "fast", 1, cpus, 20+i, 0)
	}
	gang("slow", "owner", "slow", 1, 0, 100, 0)
	return p
}
