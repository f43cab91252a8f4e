// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package heap lets a process spend memory to save processor time while it is busy.
//
// Go collects garbage when the heap has grown by GOGC percent over what was alive
// (https://go.dev/doc/gc-guide#GOGC). A cluster that idles is short of memory, so its
// processes start with a small percentage. The same percentage costs an API server that
// takes hundreds of writes a second a sixth of its time. [Adapt] follows the load: it
// collects less hard while collections come in quick succession, and once they do not it
// collects as it did at first and gives the memory back.
package heap

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// most is the greatest percentage: at five times what is alive, collecting is a
	// few percent of the work, and more memory would hardly save any.
	most = 400
	// share of the machine's memory that garbage may take, as a divisor.
	share = 8
	// busy is a process whose collections come sooner than this one after the other,
	// idle one whose come later than that.
	busy, idle = time.Second, 5 * time.Second
)

// pace of collections.
type pace struct {
	// base is as GOGC was at first, and room for garbage in bytes.
	base int
	room uint64

	mu      sync.Mutex
	percent int       // as GOGC is now
	last    time.Time // of the collections
	// lull ends what the load that is over has left, after a while without a collection.
	lull *time.Timer
}

// Adapt the pace of collections to the load, from now on and for as long as the process
// lives. Where GOGC turned them off they stay off.
func Adapt() {
	base := int(read("/gc/gogc:percent"))
	if base <= 0 {
		return
	}
	p := &pace{base: base, percent: base, room: memory() / share, last: time.Now()}
	p.lull = time.AfterFunc(idle, p.rest)
	p.awaitNext()
}

// awaitNext collection: what nobody refers to is cleaned up after it.
func (p *pace) awaitNext() {
	runtime.AddCleanup(&struct{ *pace }{}, (*pace).collected, p)
}

func (p *pace) collected() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.set(p.next(now.Sub(p.last), read("/gc/heap/live:bytes")))
	if p.last = now; p.percent > p.base {
		p.lull.Reset(idle)
	}
	p.awaitNext()
}

func (p *pace) set(percent int) {
	if percent != p.percent {
		p.percent = percent
		debug.SetGCPercent(percent)
	}
}

// rest after the load: nothing is collected any more of what it has left.
func (p *pace) rest() {
	p.mu.Lock()
	p.set(p.base)
	p.mu.Unlock()
	debug.FreeOSMemory()
}

// next percentage, after a collection that came so long after the one before it and
// left so many bytes alive.
func (p *pace) next(since time.Duration, live uint64) int {
	next := p.percent
	switch {
	case since < busy:
		next *= 2
	case since > idle:
		next = p.base
	}
	fits := 100 * p.room / max(live, 1)
	return max(p.base, int(min(uint64(next), most, fits)))
}

func read(metric string) uint64 {
	sample := []metrics.Sample{{Name: metric}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}

// memory is how many bytes the process may use: the machine's, or fewer where GOMEMLIMIT
// or its control group says so; zero when nobody knows.
func memory() uint64 {
	var machine syscall.Sysinfo_t
	if err := syscall.Sysinfo(&machine); err != nil {
		return 0
	}
	least := min(uint64(machine.Totalram)*uint64(machine.Unit), uint64(debug.SetMemoryLimit(-1)))
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		// "max" is no limit.
		if limit, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64); err == nil {
			least = min(least, limit)
		}
	}
	return least
}
