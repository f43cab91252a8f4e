// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package heap

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestNext(t *testing.T) {
	const mb = 1_000_000
	for _, c := range []struct {
		name    string
		percent int
		since   time.Duration
		live    uint64
		want    int
	}{
		{"busy", 50, 100 * time.Millisecond, 100 * mb, 100},
		{"still busy", 200, 100 * time.Millisecond, 100 * mb, 400},
		{"as little as pays", 400, 100 * time.Millisecond, 100 * mb, 400},
		{"neither", 200, 3 * time.Second, 100 * mb, 200},
		{"idle", 400, time.Minute, 100 * mb, 50},
		{"little room", 200, 100 * time.Millisecond, 1000 * mb, 100},
		{"no room", 50, 100 * time.Millisecond, 10_000 * mb, 50},
		{"nothing alive", 50, 100 * time.Millisecond, 0, 100},
	} {
		p := &pace{base: 50, percent: c.percent, room: 1000 * mb}
		if got := p.next(c.since, c.live); got != c.want {
			t.Errorf("%s: %d %%, want %d", c.name, got, c.want)
		}
	}
}

func TestAdaptFollowsCollections(t *testing.T) {
	before := debug.SetGCPercent(50)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	Adapt()
	for range 1000 {
		runtime.GC()
		if read("/gc/gogc:percent") > 50 {
			return
		}
		runtime.Gosched()
	}
	t.Error("collections that follow each other at once change nothing")
}

func TestRest(t *testing.T) {
	before := debug.SetGCPercent(400)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	p := &pace{base: 50, percent: 400}
	if p.rest(); p.percent != 50 {
		t.Errorf("%d %% after a lull, want 50", p.percent)
	}
}

func TestMemoryIsKnown(t *testing.T) {
	if got := memory(); got < 64<<20 {
		t.Errorf("%d bytes", got)
	}
}
