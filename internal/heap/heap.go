// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package heap lets a process spend memory to save processor time while it is busy.
//
// Go collects garbage when the heap has grown by GOGC percent over what was alive
// (https://go.dev/doc/gc-guide#GOGC). A cluster that idles is short of memory, so its
// processes start with a small percentage. The same percentage costs an API server that
// takes hundreds of writes a second a quarter of its time. [Adapt] follows the load: it
// collects less often while that is a good part of the work of a busy process, and once
// the process idles it collects as it did at first and gives the memory back.
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
	// Collecting is dear, or cheap, when it is more or less than this share of the work.
	dear, cheap = 0.04, 0.01
	// lazy is a process that uses less than this share of a processor.
	lazy = 0.1
	// watch is how often a process that was busy is asked whether it still is.
	watch = 5 * time.Second
	// share of the machine's memory that garbage may take, as a divisor.
	share = 8
)

// pace of collections.
type pace struct {
	// base is as GOGC was at first, and room for garbage in bytes.
	base int
	room uint64

	mu      sync.Mutex
	percent int // as GOGC is now
	// collection is when the last one was, and watched when it was last asked whether the
	// process still works.
	collection, watched moment
	// lull ends what the load that is over has left.
	lull *time.Timer
}

// moment in the life of a process, and the processor time that went by until then.
type moment struct {
	at time.Time
	// work is all of it, in seconds; collecting is what collections took of it.
	work, collecting float64
}

// effort between two moments.
type effort struct {
	// work is how many processors it took.
	work float64
	// collecting is the share of the work that collections took.
	collecting float64
}

func (m moment) since(before moment) effort {
	work := m.work - before.work
	e := effort{work: work / max(m.at.Sub(before.at).Seconds(), 1e-9)}
	if work > 0 {
		e.collecting = (m.collecting - before.collecting) / work
	}
	return e
}

// Adapt the pace of collections to the load, from now on and for as long as the process
// lives. Where GOGC turned them off they stay off.
func Adapt() {
	base := int(read("/gc/gogc:percent").Uint64())
	if base <= 0 {
		return
	}
	p := &pace{base: base, percent: base, room: memory() / share, collection: present()}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lull = time.AfterFunc(watch, p.look)
	p.awaitNext()
}

// awaitNext collection: what nobody refers to is cleaned up after it.
func (p *pace) awaitNext() {
	runtime.AddCleanup(&struct{ *pace }{}, (*pace).collected, p)
}

func (p *pace) collected() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := present()
	p.set(p.next(now.since(p.collection), read("/gc/heap/live:bytes").Uint64()))
	p.collection = now
	p.awaitNext()
}

// set the percentage; above the base it is looked after.
func (p *pace) set(percent int) {
	if percent == p.percent {
		return
	}
	if p.percent == p.base {
		p.watched = present()
		p.lull.Reset(watch)
	}
	p.percent = percent
	debug.SetGCPercent(percent)
}

// look whether the load is over: then nothing is collected any more of what it has left.
func (p *pace) look() {
	p.mu.Lock()
	now := present()
	over := p.percent > p.base && now.since(p.watched).work < lazy
	switch p.watched = now; {
	case over:
		p.set(p.base)
	case p.percent > p.base:
		p.lull.Reset(watch)
	}
	p.mu.Unlock()
	if over {
		debug.FreeOSMemory()
	}
}

// next percentage, after a collection before which the process made such an effort, and
// which left so many bytes alive.
func (p *pace) next(e effort, live uint64) int {
	next := p.percent
	switch {
	case e.collecting < cheap:
		next /= 2
	case e.collecting > dear && e.work >= lazy:
		next *= 2
	}
	fits := 100 * p.room / max(live, 1)
	return max(p.base, int(min(uint64(next), most, fits)))
}

// present is this moment. What collections took is as of the last one.
func present() moment {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return moment{at: time.Now()}
	}
	return moment{
		at:   time.Now(),
		work: time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds(),
		// What it did while there was nothing else to do cost nobody anything.
		collecting: read("/cpu/classes/gc/total:cpu-seconds").Float64() - read("/cpu/classes/gc/mark/idle:cpu-seconds").Float64(),
	}
}

// read a metric of this very Go, which is of the kind that its documentation says.
func read(metric string) metrics.Value {
	sample := []metrics.Sample{{Name: metric}}
	metrics.Read(sample)
	return sample[0].Value
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
