// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import "slipway.dev/slipway/internal/placement"

// Result of a simulation.
type Result struct {
	Policy     Policy
	Start, End int64
	// Jobs in the order in which they came.
	Jobs   []Outcome
	Queues []placement.Queue
	// Use by resource, in units of the resource times seconds for each hour since
	// Start; Projects is what each project used, likewise, and in the place of one (nobody)
	// pods of no gang.
	Use      map[string]Use
	Projects map[string]map[string][]float64
}

// Use of a resource over time.
type Use struct {
	// Offered by nodes that are ready, Used by gangs that run and by pods of no gang.
	Offered, Used []float64
	// Wasted is the part of Used that gangs lost when they were interrupted, in the
	// hour of the loss.
	Wasted []float64
}

// Outcome is what became of a job.
type Outcome struct {
	Gang, Queue string
	// Pods that it has in all, which ask for so much of each resource together.
	Pods int64
	Asks placement.Resources
	// RunTime without interruptions; zero for ever.
	RunTime int64
	// Size in devices or, where the gang asks for none, pods.
	Size int64
	// Arrived, Started the first time, and Ended; the latter two are -1 for not.
	Arrived, Started, Ended int64
	// Resumed says that it ran before the simulation began, be it only since that moment.
	Resumed bool
	// Waited from arrival to the first start, or to the end of the simulation.
	Waited int64
	// Running at the end, until Expected, which is zero for ever.
	Running  bool
	Expected int64
	// Evictions it suffered; Lost is the work that it had to do again, in seconds.
	Evictions int
	Lost      int64
	// Breaks in its run, in their order.
	Breaks []Break
	// Placement it had last.
	Placement []placement.SetPlacement
	// Why it did not start when it came; Reason why it waits at the end. Both are nil
	// when that is not so.
	Why, Reason *placement.Reason
	// Never says that it does not fit even an empty cluster; Refused why no decision
	// can be made about it.
	Never   bool
	Refused string
}

// wants is for how long it would have run within a window had it started at once, or goes on
// in it if it ran before the simulation; zero or less for not at all.
func (o *Outcome) wants(t Terms) int64 {
	begins := o.Arrived
	if o.Resumed {
		begins = o.Started
	}
	from, to := max(begins, t.From), t.To
	if o.RunTime > 0 {
		to = min(to, begins+o.RunTime)
	}
	return to - from
}

// Waits says that the job had not started, or had to stop and waits again.
func (o *Outcome) Waits() bool { return !o.Running && o.Ended == never }
