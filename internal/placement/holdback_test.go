// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"strings"
	"testing"
)

// standoff is a cluster that is settled: of two nodes one has a gang that gives way to one of higher
// priority, which waits for both, and the other one has just become free when a small one comes.
func standoff(t *testing.T, protected, own int64) scene {
	s := newScene(t, "gpu", "gpu")
	s.comes(Gang{Key: "low", Created: 1, Protected: protected}, 1, "gpu")
	s.comes(Gang{Key: "ends", Created: 1, Priority: 9}, 1, "gpu")
	s.Advance(10)
	s.comes(Gang{Key: "high", Created: 2, Priority: 1}, 2, "gpu")
	s.Advance(20)
	s.Settle()
	s.DeleteGang("ends")
	s.comes(Gang{Key: "small", Created: 3, Protected: own}, 1, "gpu")
	s.Advance(30)
	return s
}

// TestHeldBack: nobody starts who would have to give way at the next settling.
func TestHeldBack(t *testing.T) {
	s := standoff(t, 0, 0)
	if g := s.gangs["small"]; g.runs() || !strings.Contains(g.told.Reason.String(), "high") {
		t.Errorf("it runs, or is told no reason: %v", g.told)
	}
	if at, is := s.NextRight(); !is || at != 31 {
		t.Errorf("it is let go at %d (%t)", at, is)
	}
	s.Settle()
	s.Advance(31)
	if s.gangs["small"].runs() || s.gangs["low"].runs() || !s.gangs["high"].runs() {
		t.Error("nobody gives way to who has the right to both nodes")
	}
}

// TestHeldBackWithWhoFollows: nobody takes what one was not given who is held back, for it would be kept from both;
// nor does one that gives way to nobody at first.
func TestHeldBackWithWhoFollows(t *testing.T) {
	s := standoff(t, 0, 0)
	s.comes(Gang{Key: "shielded", Created: 4, Protected: 1000}, 1, "gpu")
	s.Advance(30)
	if s.gangs["shielded"].runs() {
		t.Error("one that came later passes who is held back")
	}
	if s.Settle(); !s.gangs["high"].runs() {
		t.Errorf("others took the places of who has the right to both: %v", s.gangs["high"].told)
	}
}

// TestNotHeldBack: who waits with a better right, and to whom nobody gives way, holds back nobody, nor does
// one who would have to leave alone who has just started.
func TestNotHeldBack(t *testing.T) {
	for name, s := range map[string]scene{"the other one is protected": standoff(t, 1000, 0), "it is protected itself": standoff(t, 0, 1000)} {
		if !s.gangs["small"].runs() {
			t.Errorf("%s: it waits: %v", name, s.gangs["small"].told)
		}
	}
}

// TestLetGo: who was held back and whose place nobody took starts when others had their chance to ask.
func TestLetGo(t *testing.T) {
	s := standoff(t, 0, 0)
	s.DeleteGang("high")
	s.Settle()
	if !s.gangs["small"].runs() || len(s.detained) > 0 {
		t.Errorf("it waits: %v", s.gangs["small"].told)
	}
}
