// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"strings"
	"testing"
)

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
