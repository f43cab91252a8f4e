// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"time"

	"slipway.dev/slipway/internal/placement"
)

// tally is what a ledger did since it was last asked for it.
type tally struct {
	decisions map[placement.State]int
	evictions map[placement.Cause]int
	promises  map[promiseOutcome]int
	repairs   map[repair]int
}

// promiseOutcome is what became of a start that a gang was told.
type promiseOutcome string

const (
	// kept: it started by then.
	kept promiseOutcome = "kept"
	// late: it started after.
	late promiseOutcome = "late"
	// putOff: it was told a later start.
	putOff promiseOutcome = "put_off"
	// withdrawn: it waits on, and nobody knows until when.
	withdrawn promiseOutcome = "withdrawn"
)

// refused is the outcome for a gang that cannot be followed.
const refused placement.State = "Refused"

func newTally() tally {
	return tally{map[placement.State]int{}, map[placement.Cause]int{}, map[promiseOutcome]int{}, map[repair]int{}}
}

// takeTally counts anew.
func (l *ledger) takeTally() tally {
	t := l.tally
	l.tally = newTally()
	return t
}

// count a verdict, and the promise that ends with it.
func (l *ledger) count(v placement.Verdict) {
	l.tally.decisions[v.State]++
	if v.Reason != nil && v.Reason.Code == placement.Evicted {
		l.tally.evictions[v.Reason.Cause]++
	}
	if e := l.gangs[v.Gang]; e != nil && v.State == placement.Placed && !e.promised.IsZero() {
		outcome := kept
		if l.now.After(e.promised) {
			outcome = late
		}
		l.tally.promises[outcome]++
		e.promised = time.Time{}
	}
}

// promise a gang a start, or none, after what it was told before.
func (l *ledger) promise(e *entry, start time.Time) {
	switch {
	case e.promised.IsZero():
	case start.IsZero():
		if e.answer.verdict.State == placement.Waiting {
			l.tally.promises[withdrawn]++
		}
	case start.Sub(e.promised) >= startPrecision:
		l.tally.promises[putOff]++
	default:
		return
	}
	e.promised = start
}
