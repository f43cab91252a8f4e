// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"strings"
	"testing"
)

// TestOthersStartWhenAStartIsPutOff: as soon as it is known that a promised start is later, those
// may start who delay it no more; and when none is, nothing is decided once more.
func TestOthersStartWhenAStartIsPutOff(t *testing.T) {
	s := newScene(t, "gpu", "gpu")
	s.submit("runs", 1, 1, "gpu", 99)
	s.Advance(1)
	s.submit("large", 2, 2, "gpu", 0)
	s.Advance(2)
	s.Settle()
	s.planned("large", 100)
	s.submit("small", 3, 1, "gpu", 61)
	s.Advance(40)
	s.Settle()
	if s.ripe || s.gangs["small"].runs() {
		t.Errorf("some start is put off: %t; the one that would delay it runs: %t", s.ripe, s.gangs["small"].runs())
	}
	s.Advance(170)
	s.Settle()
	s.planned("large", 240)
	if !s.ripe || !s.gangs["small"].runs() {
		t.Errorf("some start is put off: %t; the one that delays it no more runs: %t", s.ripe, s.gangs["small"].runs())
	}
}

// TestLateUntilItRuns: a gang that gives way later is not told that its first start was late.
func TestLateUntilItRuns(t *testing.T) {
	s := newScene(t, "gpu")
	toldLate := func(want bool) {
		t.Helper()
		s.Refresh(10)
		why := s.gangs["waits"].told.Reason
		if why == nil || strings.Contains(why.String(), "it was to start by") != want {
			t.Errorf("it is told: %v; that its start is late: want %t", why, want)
		}
	}
	s.submit("runs", 1, 1, "gpu", 100)
	s.Advance(10)
	s.submit("waits", 2, 1, "gpu", 0)
	s.Advance(20)
	s.Settle()
	s.Advance(300)
	s.Settle()
	toldLate(true)

	s.DeleteGang("runs")
	s.Advance(310)
	s.comes(Gang{Key: "high", Created: 3, Priority: 5}, 1, "gpu")
	s.Advance(400)
	s.Settle()
	s.Advance(410)
	toldLate(false)
}
