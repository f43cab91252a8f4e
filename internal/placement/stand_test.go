// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "testing"

// TestPromisesStand: the second of those promised a start goes sooner, on the node that is kept
// for it, and the first is no later for it. A moment more of a run moves what waits for it by that
// moment; an hour more breaks it.
func TestPromisesStand(t *testing.T) {
	s := newScene(t, "gpu", "gpu")
	s.submit("a", 1, 1, "gpu", 1000)
	s.submit("b", 1, 1, "gpu", 2000)
	s.states(0)
	s.submit("first", 2, 1, "gpu", 5000)
	s.submit("second", 3, 1, "gpu", 5000)
	s.submit("third", 4, 2, "gpu", 5000)
	s.states(0)
	s.Plan(3)
	for key, at := range map[string]int64{"first": 1000, "second": 2000, "third": 7000} {
		s.planned(key, at)
	}
	s.DeleteGang("b")
	if got := s.states(500); got["second"] != Placed {
		t.Errorf("second is %q though there is room for it", got["second"])
	}
	for _, c := range []struct{ now, first, third int64 }{{500, 1000, 6000}, {1030, 1090, 6090}, {4600, 5500, 10500}} {
		s.states(c.now)
		s.Plan(3)
		s.planned("first", c.first)
		s.planned("third", c.third)
	}
}

// TestOneStartsAroundTheOthers: who was promised a start goes sooner where nobody is later for
// it, be they promised one after it.
func TestOneStartsAroundTheOthers(t *testing.T) {
	s := newScene(t, "gpu", "gpu", "gpu")
	s.submit("a", 1, 1, "gpu", 1000)
	s.submit("b", 1, 2, "gpu", 2000)
	s.states(0)
	s.submit("wide", 2, 3, "gpu", 5000)
	s.submit("after", 3, 2, "gpu", 5000)
	s.submit("short", 4, 1, "gpu", 500)
	s.states(0)
	s.Plan(3)
	s.planned("wide", 2000)
	s.planned("after", 7000)
	s.planned("short", 1000)
	s.DeleteGang("a")
	s.submit("long", 5, 1, "gpu", 3000)
	if got := s.states(600); got["short"] != Placed || got["long"] != Waiting {
		t.Errorf("got %v, want short alone placed, which is over in time", got)
	}
	s.Plan(4)
	s.planned("wide", 2000)
	s.planned("after", 7000)
}

// TestPromisedPlacesAreTried: the search for places of two sets gives up, and those that were
// promised are free.
func TestPromisedPlacesAreTried(t *testing.T) {
	s := newScene(t, "gpu", "fpga")
	s.submit("runs", 1, 1, "gpu", 1000)
	s.states(0)
	g := Gang{Key: "two", Created: 2, Limit: 100, Sets: []PodSet{
		{Name: "g", Count: 1, Shape: Shape{Requests: Resources{"gpu": 1}}},
		{Name: "f", Count: 1, Shape: Shape{Requests: Resources{"fpga": 1}}},
	}}
	if err := s.SetGang(g); err != nil {
		t.Fatal(err)
	}
	s.states(0)
	s.Plan(1)
	s.planned("two", 1000)
	s.DeleteGang("runs")
	two := s.gangs["two"]
	taken := func() int {
		try := s.trial(two, two.lacks())
		defer try.cancel()
		s.respecting(two, try.asPromised)
		return len(try.moves)
	}
	if got := taken(); got != 2 {
		t.Errorf("%d of the 2 places that were promised are taken", got)
	}
	s.Bind(Pod{Key: "intruder", Node: "n1", Requests: Resources{"fpga": 1}})
	if got := taken(); got != 0 {
		t.Errorf("%d of the places that were promised are taken, though one is another's", got)
	}
}

// TestALoweredLimitBreaksAPromise: it is made anew for when the limit allows it, though the places
// are free before.
func TestALoweredLimitBreaksAPromise(t *testing.T) {
	s := newScene(t, "gpu", "gpu", "gpu", "gpu")
	limit := func(n int64) {
		if err := s.SetQueue(Queue{Name: "q", Quota: []Quota{{Resource: "gpu", Limit: n}}}); err != nil {
			t.Fatal(err)
		}
	}
	limit(2)
	s.comes(Gang{Key: "a", Queue: "q", Created: 1, Limit: 1000}, 1, "gpu")
	s.comes(Gang{Key: "b", Queue: "q", Created: 1, Limit: 2000}, 1, "gpu")
	s.states(0)
	s.comes(Gang{Key: "waits", Queue: "q", Created: 2, Limit: 5000}, 1, "gpu")
	s.states(0)
	s.Plan(1)
	s.planned("waits", 1000)
	limit(1)
	s.states(1)
	s.Plan(1)
	s.planned("waits", 2000)
}

// TestNobodyHeedsWhoWaitsForItsEnd: a gang without a limit, of a kind that takes 100 s, is promised
// a start, and another one after it, which it need not leave room for: or else neither starts.
func TestNobodyHeedsWhoWaitsForItsEnd(t *testing.T) {
	s := newStage(t)
	s.SetNode(Node{Name: "n", Ready: true, Allocatable: Resources{"gpu": 1, pods: 9}})
	s.past.note("", "kind", 100, 100, 100)
	s.comes(Gang{Key: "runs", Limit: 1000}, 1, "gpu")
	s.play(1)
	s.comes(Gang{Key: "first", Kind: "kind", Created: 1}, 1, "gpu")
	s.comes(Gang{Key: "second", Limit: 500, Created: 2}, 1, "gpu")
	s.play(10)
	s.DeleteGang("runs")
	for key := range s.pods {
		s.Unbind(key)
	}
	if s.play(1001); !s.gangs["first"].runs() {
		t.Errorf("first waits though the node is empty: %v", s.gangs["first"].told.Reason)
	}
}

// TestNobodyGivesWayInVain: who was promised the place of a gang does not get it when that gang
// gives way to another one.
func TestNobodyGivesWayInVain(t *testing.T) {
	s := newStage(t)
	s.SetNode(Node{Name: "n", Ready: true, Allocatable: Resources{"gpu": 1, pods: 9}})
	s.comes(Gang{Key: "runs", Limit: 10000}, 1, "gpu")
	s.play(1)
	s.comes(Gang{Key: "promised", Limit: 5000, Created: 2}, 1, "gpu")
	s.play(10)
	s.comes(Gang{Key: "urgent", Priority: 1, Created: 3}, 1, "gpu")
	for now := int64(20); now < 300; now = s.next(now) {
		s.play(now)
	}
	if !s.gangs["urgent"].runs() {
		t.Errorf("one gave way to urgent, which waits: %v", s.gangs["urgent"].told.Reason)
	}
}

// TestPromiseOfAnotherDomain: one node of those that are promised to a gang within one zone is put into
// another zone. What was promised is no longer what it needs.
func TestPromiseOfAnotherDomain(t *testing.T) {
	s := newScene(t, "gpu", "gpu")
	zone := func(node, zone string) {
		s.SetNode(Node{Name: node, Ready: true, Labels: map[string]string{"zone": zone}, Allocatable: Resources{"gpu": 1, pods: 10}})
	}
	zone("n0", "a")
	zone("n1", "a")
	s.comes(Gang{Key: "runs", Created: 1, Limit: 1000}, 1, "gpu")
	s.Advance(10)
	close := Gang{Key: "close", Created: 2, Sets: []PodSet{
		{Name: "w", Count: 2, Shape: Shape{Requests: Resources{"gpu": 1}}, Topology: Topology{Required: "zone"}},
	}}
	if err := s.SetGang(close); err != nil {
		t.Fatal(err)
	}
	s.Advance(10)
	s.Settle()
	s.planned("close", 1010)
	zone("n1", "b")
	s.DeleteGang("runs")
	if got := s.states(1000)["close"]; s.gangs["close"].runs() || got == Placed {
		t.Errorf("it is %s, in two zones", got)
	}
}

// TestPromiseOfNobody: who waited behind a promise starts in the next decision when the gang that it was
// made to is deleted, and not only with the next plan.
func TestPromiseOfNobody(t *testing.T) {
	s := newScene(t, "gpu", "gpu")
	s.submit("runs", 1, 1, "gpu", 1000)
	s.Advance(10)
	s.submit("large", 2, 2, "gpu", 1000)
	s.Advance(10)
	s.Settle()
	s.submit("endless", 3, 1, "gpu", 0)
	s.Advance(20)
	s.Settle()
	s.planned("endless", 2010)
	s.Advance(25)
	if s.gangs["endless"].runs() {
		t.Fatal("it runs on what is promised")
	}
	s.DeleteGang("large")
	if got := s.states(30)["endless"]; got != Placed {
		t.Errorf("it is %q", got)
	}
}
