// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"strings"
	"testing"
)

// circle puts three gangs on a stage with room for one, each of a project that is guaranteed one
// of the two things that it asks for: the first takes back from the second, the second from the
// third, and the third from the first.
func circle(t *testing.T) *stage {
	s, things := newStage(t), []string{"disk", "gpu", "port"}
	s.SetNode(Node{Name: "n", Ready: true, Allocatable: Resources{"disk": 1, "gpu": 1, "port": 1, pods: 9}})
	for i, thing := range things {
		if err := s.SetQueue(Queue{Name: thing, Quota: []Quota{{Resource: thing, Guaranteed: 1, Limit: Unlimited}}}); err != nil {
			t.Fatal(err)
		}
		s.comes(Gang{Key: "of " + thing, Queue: thing, Created: int64(i)}, 1, thing)
		asks := Resources{thing: 1, things[(i+2)%3]: 1}
		g := s.gangs["of "+thing].Gang
		g.Sets = []PodSet{{Name: "w", Count: 1, Shape: Shape{Requests: asks}}}
		if err := s.SetGang(g); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// TestCircle comes to rest: in half a day each gang asks others a few times, after ever longer
// pauses, and is told what it waits for.
func TestCircle(t *testing.T) {
	s, told := circle(t), false
	for now := int64(100); now < 12*60*60; now = s.next(now) {
		s.play(now)
		s.Refresh(9)
		for _, g := range s.gangs {
			told = told || strings.Contains(g.told.Reason.String(), "others gave way to it 2 times, and it gave way itself each time: it asks them again at 1970-01-01T")
		}
	}
	if !told {
		t.Error("nobody is told why it does not ask")
	}
	if len(s.raised) != 3 {
		t.Fatalf("%d of them ever had another give way", len(s.raised))
	}
	for key, raised := range s.raised {
		if len(raised) > 7 {
			t.Errorf("others gave way to %s %d times", key, len(raised))
		}
		for i := 2; i < len(raised); i++ {
			if pause := int64(firstPause << (i - 1)); raised[i]-raised[i-1] < pause {
				t.Errorf("%s asks again %d s after it had asked, want a pause of %d s", key, raised[i]-raised[i-1], pause)
			}
		}
	}
}

// TestFeuds: who pauses and until when, after what has become of it since others gave way to it
// for the first time, at moment 100.
func TestFeuds(t *testing.T) {
	const day = 24 * 60 * 60
	relapse := func(at ...int64) func(s *stage, g *gang) {
		return func(s *stage, g *gang) {
			for _, now := range at {
				s.Elapse(now)
				s.raise(g)
				s.relapse(g)
			}
		}
	}
	for name, c := range map[string]struct {
		happens func(s *stage, g *gang)
		want    int64
	}{
		"it runs":                   {func(*stage, *gang) {}, 0},
		"it gave way":               {relapse(200), 200 + firstPause},
		"it gave way to several":    {func(s *stage, g *gang) { relapse(200)(s, g); s.Elapse(300); s.relapse(g) }, 200 + firstPause},
		"it gave way three times":   {relapse(200, 300, 400), 400 + 4*firstPause},
		"it gave way very often":    {relapse(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13), 13 + day},
		"others gave way once more": {func(s *stage, g *gang) { relapse(200)(s, g); s.raise(g) }, 0},
		"that is long ago":          {func(s *stage, g *gang) { relapse(200)(s, g); s.Elapse(201 + 7*day); s.Evict(1) }, 0},
		"it came again much later": {func(s *stage, g *gang) {
			relapse(200)(s, g)
			s.DeleteGang(g.Key)
			s.Elapse(201 + firstPause)
			s.Evict(1)
			s.Elapse(201)
		}, 0},
		"its pods are put in another order": {func(s *stage, g *gang) {
			if err := s.Reseat(g.Gang); err != nil {
				s.Fatal(err)
			}
			s.Elapse(200)
			s.relapse(s.gangs[g.Key])
		}, 200 + firstPause},
		"it ended, and came again":  {func(s *stage, g *gang) { s.DeleteGang(g.Key); s.relapse(g) }, 0},
		"it is another of the name": {func(s *stage, g *gang) { relapse(200)(s, g); s.DeleteGang(g.Key) }, 200 + firstPause},
		"it holds places that idle": {func(s *stage, g *gang) {
			relapse(200)(s, g)
			g.Unfinished, g.sets[0].slots = true, []slot{{"n", 1, true}, {"", 1, false}}
		}, 0},
		"it gave way for the first":   {func(s *stage, g *gang) { delete(s.feuds, g.Key); s.relapse(g) }, 0},
		"it was there before anybody": {func(s *stage, _ *gang) { s.feuds = map[string]*feud{} }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.SetNode(Node{Name: "n", Ready: true, Allocatable: Resources{"gpu": 1, pods: 9}})
			s.comes(Gang{Key: "g"}, 2, "gpu")
			g := s.gangs["g"]
			s.Elapse(100)
			s.raise(g)
			c.happens(s, g)
			if got := s.pausesUntil(g); got != c.want {
				t.Errorf("it asks again at %d, want %d", got, c.want)
			}
			g.sets[0].slots = nil // as it was, for nothing is booked
		})
	}
}

// TestInVain: others gave way to a gang, and somebody else took what they left. It asks again only
// after a pause.
func TestInVain(t *testing.T) {
	s := newStage(t)
	s.SetNode(Node{Name: "n", Ready: true, Allocatable: Resources{"gpu": 1, pods: 9}})
	s.comes(Gang{Key: "low", Created: 1}, 1, "gpu")
	s.play(100)
	s.comes(Gang{Key: "high", Created: 2, Priority: 1}, 1, "gpu")
	s.play(200)
	s.comes(Gang{Key: "other", Created: 3, Started: 201, Placement: []SetPlacement{{"w", []Slot{{"n", 1}}}}}, 1, "gpu")
	s.playUntil(229 + firstPause)
	if got := s.raised["high"]; len(got) != 1 {
		t.Errorf("others gave way at %v, want once", got)
	}
	s.playUntil(500 + firstPause)
	if got := s.raised["high"]; len(got) != 2 || !s.gangs["high"].runs() {
		t.Errorf("others gave way at %v, want twice; it runs: %t", got, s.gangs["high"].runs())
	}
}

// TestInVainAfterARestart: that others gave way is known from what is told of them.
func TestInVainAfterARestart(t *testing.T) {
	s := newScene(t, "gpu", "gpu")
	s.makesRoom("n0", 0)
	s.comes(Gang{Key: "other", Queue: "borrower", Created: 3, Started: 4, Placement: []SetPlacement{{"w", []Slot{{"n1", 1}}}}}, 1, "gpu")
	s.Advance(10)
	s.Settle()
	s.Unbind("victim-0")
	s.SetNode(Node{Name: "n0", Cordoned: true, Ready: true, Allocatable: Resources{"gpu": 1, pods: 10}})
	s.Advance(40)
	s.Settle()
	if got := s.pausesUntil(s.gangs["heir"]); got != 40+firstPause {
		t.Errorf("it asks again at %d, want %d", got, 40+firstPause)
	}
}

// TestGuaranteedNone: a project that is guaranteed none of what its gang asks for takes nothing
// back for it, whatever else it is guaranteed.
func TestGuaranteedNone(t *testing.T) {
	for name, c := range map[string]struct {
		quota []Quota
		want  bool
	}{
		"all of it":               {[]Quota{{cpu, "", 2, Unlimited}, {"gpu", "", 4, Unlimited}}, true},
		"none of the GPUs":        {[]Quota{{cpu, "", 2, Unlimited}, {"gpu", "", 0, Unlimited}}, false},
		"GPUs, and nothing said":  {[]Quota{{"gpu", "", 4, Unlimited}}, true},
		"none on these nodes":     {[]Quota{{"gpu", "", 4, Unlimited}, {"gpu", "new", 0, Unlimited}}, false},
		"none on others":          {[]Quota{{"gpu", "", 4, Unlimited}, {"gpu", "old", 0, Unlimited}}, true},
		"on these nodes alone":    {[]Quota{{"gpu", "new", 4, Unlimited}}, true},
		"on others alone":         {[]Quota{{"gpu", "old", 4, Unlimited}}, false},
		"too little, on others":   {[]Quota{{"gpu", "", 4, Unlimited}, {"gpu", "old", 1, Unlimited}}, true},
		"too little, on these":    {[]Quota{{"gpu", "", 4, Unlimited}, {"gpu", "new", 1, Unlimited}}, false},
		"of something else, none": {[]Quota{{"gpu", "", 4, Unlimited}, {"disk", "", 0, Unlimited}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.SetNode(Node{Name: "n", Kind: "new", Ready: true, Allocatable: Resources{"gpu": 4, cpu: 2, pods: 9}})
			for _, q := range []Queue{{Name: "asks", Quota: c.quota}, {Name: "borrows"}} {
				if err := s.SetQueue(q); err != nil {
					t.Fatal(err)
				}
			}
			for i, queue := range []string{"borrows", "asks"} {
				g := Gang{Key: queue, Queue: queue, Created: int64(i), Sets: []PodSet{{Name: "w", Count: 1, Shape: Shape{Requests: Resources{"gpu": 4, cpu: 1}}}}}
				if err := s.SetGang(g); err != nil {
					t.Fatal(err)
				}
				s.play(s.now + 100)
			}
			if got := s.gangs["borrows"].unplaced(); got != c.want {
				t.Errorf("the other one gives way: %t, want %t", got, c.want)
			}
		})
	}
}

// TestBorrowedOnAKind: who gives way is one of those on nodes of the kind that its project borrows.
func TestBorrowedOnAKind(t *testing.T) {
	s := newStage(t)
	for _, kind := range []string{"new", "old"} {
		s.SetNode(Node{Name: kind, Kind: kind, Ready: true, Allocatable: Resources{"gpu": 1, pods: 9}})
	}
	lent := []Quota{{"gpu", "new", 1, Unlimited}, {"gpu", "old", 0, Unlimited}}
	for _, q := range []Queue{{Name: "borrower", Quota: lent}, {Name: "owner", Quota: []Quota{{"gpu", "", 1, Unlimited}}}} {
		if err := s.SetQueue(q); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 {
		s.comes(Gang{Key: fmt.Sprint("borrower", i), Queue: "borrower", Created: int64(i)}, 1, "gpu")
	}
	s.play(100)
	s.comes(Gang{Key: "owner", Queue: "owner", Created: 2}, 1, "gpu")
	s.playUntil(500)
	if at, _ := s.nodeOf("owner", 0); at != "old" {
		t.Errorf("it has its place on %q, want the one that was borrowed: %s", at, strings.Join(s.log, "; "))
	}
}
