// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// clinic is a picture whose time one tells, and who runs on it.
type clinic struct {
	t *testing.T
	p *Picture
}

func (c clinic) node(names ...string) {
	for _, name := range names {
		c.p.SetNode(Node{Name: name, Ready: true, Allocatable: Resources{"a/gpu": 8, pods: 99}})
	}
}

func (c clinic) gang(key string, count int32, change ...func(*Gang)) {
	c.t.Helper()
	g := Gang{Key: key, Protected: 20 * 60, Sets: []PodSet{{Name: "w", Count: count, Shape: Shape{Requests: Resources{"a/gpu": 8}}}}}
	for _, change := range change {
		change(&g)
	}
	if err := c.p.SetGang(g); err != nil {
		c.t.Fatal(err)
	}
}

func (c clinic) queue(limit int64) {
	c.t.Helper()
	if err := c.p.SetQueue(Queue{Name: "q", Quota: []Quota{{Resource: "a/gpu", Guaranteed: limit, Limit: limit}}}); err != nil {
		c.t.Fatal(err)
	}
}

func (c clinic) runs(minute int64, want ...string) {
	c.t.Helper()
	c.p.Advance(minute * 60)
	c.p.Settle()
	var got []string
	for _, key := range slices.Sorted(maps.Keys(c.p.gangs)) {
		if c.p.gangs[key].runs() {
			got = append(got, key)
		}
	}
	if g, w := strings.Join(got, " "), strings.Join(want, " "); g != w {
		c.t.Errorf("in minute %d %q run, want %q", minute, g, w)
	}
}

func inQueue(g *Gang) { g.Queue = "q" }

// TestTwoThatLostAPlace do not wait for each other's, whoever is guaranteed what.
func TestTwoThatLostAPlace(t *testing.T) {
	c := clinic{t, New()}
	c.node("n1", "n2", "n3", "n4")
	c.queue(16)
	c.gang("a", 2)
	c.gang("b", 2, inQueue)
	c.runs(1, "a", "b")
	c.p.DeleteNode("n2")
	c.p.DeleteNode("n4")
	c.runs(2, "a")
	c.node("n2", "n4")
	c.runs(3, "a", "b")
}

// TestIdlePlacesAreKeptForAWhile and then others have them.
func TestIdlePlacesAreKeptForAWhile(t *testing.T) {
	c := clinic{t, New()}
	c.node("n1", "n2")
	c.gang("a", 2)
	c.runs(1, "a")
	c.p.DeleteNode("n2")
	c.gang("b", 1)
	c.runs(5)
	if at, is := c.p.NextRight(); !is || at != 15*60 {
		t.Errorf("they are looked at again at %d (%t), want in minute 15", at, is)
	}
	c.runs(14)
	c.runs(15, "b")
	c.node("n2")
	c.runs(16, "b")
	c.p.DeleteGang("b")
	c.runs(17, "a")
}

// TestLooseGangsAreNeverIdle: what is left of them works on.
func TestLooseGangsAreNeverIdle(t *testing.T) {
	c := clinic{t, New()}
	c.p.Patience = 0
	c.node("n1", "n2")
	c.gang("a", 2, func(g *Gang) { g.Loose = true })
	c.runs(1, "a")
	c.p.DeleteNode("n2")
	c.gang("b", 1)
	c.runs(2)
	c.runs(60)
	if at, is := c.p.NextRight(); is {
		t.Errorf("they are looked at again at %d", at)
	}
}

// TestIdleBeyondALimit that was made lower than what the gang asks for.
func TestIdleBeyondALimit(t *testing.T) {
	c := clinic{t, New()}
	c.node("n1", "n2")
	c.queue(16)
	c.gang("a", 2, inQueue)
	c.runs(1, "a")
	c.queue(8)
	c.p.DeleteNode("n2")
	c.node("n2")
	c.gang("b", 1, inQueue)
	c.runs(2)
	c.runs(12, "b")
	if state := c.p.gangs["a"].told.State; state != Never {
		t.Errorf("a, which asks for more than it may ever have, is told %s", state)
	}
}

// TestNotIdleWhileRoomIsMade: whoever gave way to a gang that lost a place did not do so in
// vain, though its pods take their time to end.
func TestNotIdleWhileRoomIsMade(t *testing.T) {
	c := clinic{t, New()}
	c.node("n1", "n2")
	c.gang("a", 2, func(g *Gang) { g.Priority = 1 })
	c.runs(1, "a")
	c.node("n3")
	c.gang("b", 1)
	c.runs(2, "a", "b")
	pod := Pod{Key: "b-0", Node: "n3", Gang: "b", Set: "w", Requests: Resources{"a/gpu": 8}}
	c.p.Bind(pod)
	c.p.DeleteNode("n2")
	c.runs(3, "b")
	c.runs(22)
	c.gang("c", 1)
	c.gang("d", 1, func(g *Gang) { g.Priority = 1 }) // who may ask in any case
	c.runs(23)
	if c.p.gangs["a"].unplaced() {
		t.Errorf("what it holds is taken from it, though others gave way for it to go on: %s", c.p.gangs["a"].told.Reason)
	}
	c.p.DeleteGang("d")
	c.p.Unbind(pod.Key)
	c.runs(24, "a")
}

// TestNobodyAwaitsWhatIsNotIdle: while room is made for a gang that lost a place, there is no moment at
// which others may have what it holds.
func TestNobodyAwaitsWhatIsNotIdle(t *testing.T) {
	c := clinic{t, New()}
	c.node("n1", "n2")
	c.gang("a", 2, func(g *Gang) { g.Priority = 1 })
	c.runs(1, "a")
	c.node("n3")
	c.gang("b", 1, func(g *Gang) { g.Protected = 0 })
	c.runs(2, "a", "b")
	c.p.Bind(Pod{Key: "b-0", Node: "n3", Gang: "b", Set: "w", Requests: Resources{"a/gpu": 8}})
	c.p.DeleteNode("n2")
	c.runs(3)
	c.runs(4)
	if at, is := c.p.NextRight(); !is || at < DefaultPatience {
		t.Errorf("it is looked again at %d (%t), want when b has waited for a day", at, is)
	}
}

// TestIdleSince is known after a restart, and a gang that gave way waits since it lost a place.
func TestIdleSince(t *testing.T) {
	c := clinic{t, New()}
	c.node("n1")
	c.gang("a", 2, func(g *Gang) {
		g.Waits, g.Stopped = true, 5*60
		g.Placement = []SetPlacement{{"w", []Slot{{"n1", 1}, {"n2", 1}}}}
	})
	c.gang("b", 1)
	c.runs(14)
	if at, is := c.p.NextRight(); !is || at != 15*60 {
		t.Errorf("it is looked again at %d (%t), want in minute 15", at, is)
	}
	c.runs(15, "b")
	if stopped := c.p.gangs["a"].Stopped; stopped != 5*60 {
		t.Errorf("a has stopped at %d, want in minute 5", stopped)
	}
}
