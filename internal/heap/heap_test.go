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
		effort  effort
		live    uint64
		want    int
	}{
		{"dear", 50, effort{1, 0.25}, 100 * mb, 100},
		{"still dear", 200, effort{1, 0.1}, 100 * mb, 400},
		{"as little as pays", 400, effort{1, 0.1}, 100 * mb, 400},
		{"neither", 200, effort{1, 0.03}, 100 * mb, 200},
		{"cheap", 400, effort{1, 0.005}, 100 * mb, 200},
		{"cheap as can be", 50, effort{1, 0.005}, 100 * mb, 50},
		{"dear, for there was no other work", 50, effort{0.05, 0.9}, 100 * mb, 50},
		{"little room", 200, effort{1, 0.25}, 1000 * mb, 100},
		{"no room", 50, effort{1, 0.25}, 10_000 * mb, 50},
		{"nothing alive", 50, effort{1, 0.25}, 0, 100},
	} {
		p := &pace{base: 50, percent: c.percent, room: 1000 * mb}
		if got := p.next(c.effort, c.live); got != c.want {
			t.Errorf("%s: %d %%, want %d", c.name, got, c.want)
		}
	}
}

func TestEffort(t *testing.T) {
	began := time.Now()
	before := moment{at: began, work: 10, collecting: 2}
	for _, c := range []struct {
		name string
		now  moment
		want effort
	}{
		{"half a processor", moment{began.Add(4 * time.Second), 12, 2.5}, effort{0.5, 0.25}},
		{"nothing was done", moment{began.Add(time.Second), 10, 2}, effort{0, 0}},
	} {
		if got := c.now.since(before); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestAdaptFollowsCollections(t *testing.T) {
	before := debug.SetGCPercent(50)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	alive := make([]*[1000]byte, 10_000)
	for i := range alive {
		alive[i] = new([1000]byte)
	}
	Adapt()
	for range 1000 {
		runtime.GC()
		if read("/gc/gogc:percent").Uint64() > 50 {
			return
		}
		runtime.Gosched()
	}
	runtime.KeepAlive(alive)
	t.Error("a process that does nothing but collect changes nothing")
}

func TestLook(t *testing.T) {
	before := debug.SetGCPercent(400)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	now := present()
	for _, c := range []struct {
		name    string
		watched moment
		want    int
	}{
		{"the process has done nothing", moment{now.at.Add(-time.Hour), now.work, now.collecting}, 50},
		{"the process works", moment{now.at.Add(-time.Second), now.work - 1, now.collecting}, 400},
	} {
		p := &pace{base: 50, percent: 400, watched: c.watched}
		p.lull = time.AfterFunc(time.Hour, func() {})
		if p.look(); p.percent != c.want {
			t.Errorf("%s: %d %%, want %d", c.name, p.percent, c.want)
		}
		p.lull.Stop()
	}
}

func TestMemoryIsKnown(t *testing.T) {
	if got := memory(); got < 64<<20 {
		t.Errorf("%d bytes", got)
	}
}
