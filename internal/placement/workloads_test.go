// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"testing"
)

// workload is a class of gangs that every queue of the scenario has some of: so many come,
// one every so often, and each runs for a while; both in milliseconds.
type workload struct {
	name        string
	share       int // of a queue's, in tenths
	every, runs int
	priority    int32
	cores       int64
}

// workloads are those of the scenario of that name of test/scale, and of Kueue's own test.
var workloads = []workload{
	{"small", 7, 100, 200, 50, 1},
	{"medium", 2, 500, 500, 100, 5},
	{"large", 1, 1200, 1000, 200, 20},
}

// crowd plays the scenario without an API server: gangs come to thirty queues in five
// cohorts, run for their time once they are placed, and go.
type crowd struct {
	p      *Picture
	due    map[int][]func() // by millisecond
	starts map[string]int   // of those that run: how often they had started before
	runs   map[string]int
	left   int
	digest uint64
	// thorough tries every gang in every pass.
	thorough bool
}

const (
	cohorts, queuesEach = 5, 6
	// tick is how many milliseconds of changes are decided on at once, and lag how many it
	// takes to write down that a gang has its place and to hear that it ended: so thousands wait.
	tick, lag = 5, 500
)

func newCrowd(tb testing.TB, each int, paced bool) *crowd {
	c := &crowd{p: cluster(30), due: map[int][]func(){}, starts: map[string]int{}, runs: map[string]int{}}
	for i := range cohorts {
		cohort := fmt.Sprint("cohort-", i)
		c.queue(tb, cohort, "", 20*queuesEach, 20*queuesEach)
		for j := range queuesEach {
			name := fmt.Sprint(cohort, "-queue-", j)
			c.queue(tb, name, cohort, 20, 120)
			offset := 3 * len(c.p.queues) // so that they do not come all at once
			for _, w := range workloads {
				for number := range each * w.share / 10 {
					moment := offset + number + 1
					if paced {
						moment = offset + (number+1)*w.every
					}
					c.at(moment, func() { c.arrive(tb, name, w, number) })
					c.left++
				}
			}
		}
	}
	return c
}

func (c *crowd) queue(tb testing.TB, name, parent string, guaranteed, limit int64) {
	q := Queue{Name: name, Parent: parent, Quota: []Quota{{Resource: cpu, Guaranteed: guaranteed * 1000, Limit: limit * 1000}}}
	if err := c.p.SetQueue(q); err != nil {
		tb.Fatal(err)
	}
}

// at a moment do something, which is decided on with all else in its tick.
func (c *crowd) at(moment int, do func()) {
	moment = (moment + tick - 1) / tick * tick
	c.due[moment] = append(c.due[moment], do)
}

func (c *crowd) arrive(tb testing.TB, queue string, w workload, number int) {
	g := Gang{Key: fmt.Sprintf("%s/%s-%04d", queue, w.name, number), Queue: queue, Priority: w.priority, Created: int64(number * w.every / 1000),
		Sets: []PodSet{{Name: "worker", Count: 1, Shape: Shape{Requests: Resources{cpu: w.cores * 1000}}}}}
	c.runs[g.Key] = w.runs
	if err := c.p.SetGang(g); err != nil {
		tb.Fatal(err)
	}
}

// play to the end, and return how long that took in the scenario's time.
func (c *crowd) play() int {
	for now := 0; ; now += tick {
		news := c.due[now]
		delete(c.due, now)
		for _, do := range news {
			do()
		}
		if c.thorough {
			c.p.judgedFacts = c.p.facts + 1
		}
		if len(news) > 0 {
			c.hear(now, c.p.Advance(int64(now/1000)))
		}
		if now%250 == 0 {
			c.hear(now, c.p.Settle())
		}
		if now%1000 == 0 {
			told, _ := c.p.Refresh(20)
			c.sum(told)
		}
		if c.left == 0 {
			return now
		}
	}
}

// hear what becomes of gangs: those that are placed end when they have run for their time,
// unless they give way before.
func (c *crowd) hear(now int, verdicts []Verdict) {
	c.sum(verdicts)
	last := map[string]Verdict{}
	for _, v := range verdicts {
		last[v.Gang] = v
	}
	for _, v := range last {
		c.starts[v.Gang]++
	}
	placed := slices.SortedFunc(func(yield func(Verdict) bool) {
		for _, v := range last {
			if v.State == Placed && !yield(v) {
				return
			}
		}
	}, func(a, b Verdict) int { return cmp.Compare(a.Gang, b.Gang) })
	for _, v := range placed {
		start := c.starts[v.Gang]
		c.at(now+c.runs[v.Gang]+lag, func() {
			if c.starts[v.Gang] == start {
				c.p.DeleteGang(v.Gang)
				c.left--
			}
		})
	}
}

// sum up what was said, in its order.
func (c *crowd) sum(verdicts []Verdict) {
	h := fnv.New64a()
	fmt.Fprint(h, c.digest)
	for _, v := range verdicts {
		fmt.Fprintln(h, v.Gang, v.State, v.Placement, v.Reason)
	}
	c.digest = h.Sum64()
}

// BenchmarkWorkloads is what the engine takes for 15,000 gangs of three sizes that come to
// thirty queues, within a minute or nearly at once, and end soon: more than there is room
// for. The digest is of every verdict; it changes when a decision does.
func BenchmarkWorkloads(b *testing.B) {
	for name, paced := range map[string]bool{"paced": true, "at-once": false} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				c := newCrowd(b, 500, paced)
				took := c.play()
				b.ReportMetric(float64(took)/1000, "scenario-s")
				b.ReportMetric(float64(c.digest%1e6), "digest")
			}
		})
	}
}
