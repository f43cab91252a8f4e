// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestBecomesQuiet: on small random clusters, where gangs of several queues have rights to one
// another's places, nothing happens but that those end who gave way. Whatever the rights, nobody
// has others give way again and again.
func TestBecomesQuiet(t *testing.T) {
	if overSeeds(t, 13, randomQuarrel) == 0 {
		t.Error("nobody ever gave way")
	}
}

const (
	// quarrels go on for so many seconds.
	quarrels = int64(72 * 60 * 60)
	// maxRaised is how often others give way to one gang in that time at most: once, again after
	// 10 minutes, 20, 40 and so on, up to a day.
	maxRaised = 10
)

// randomQuarrel returns how often gangs gave way.
func randomQuarrel(t *testing.T, r *rand.Rand) int {
	s := newStage(t)
	n := func(below int) int64 { return int64(r.IntN(below)) }
	s.furnish(n)
	s.cast(n)
	s.playUntil(quarrels)
	for heir, raised := range s.raised {
		if len(raised) > maxRaised {
			t.Errorf("others gave way to %s %d times:\n%s\n%s", heir, len(raised), strings.Join(s.script, "\n"), strings.Join(s.log, "\n"))
		}
	}
	return len(s.log)
}
