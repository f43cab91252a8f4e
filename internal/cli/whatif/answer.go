// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package whatif

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/utils/ptr"

	"slipway.dev/slipway/internal/cli/waiting"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler"
	"slipway.dev/slipway/internal/simulate"
)

// Line of an answer: a gang, before and after.
type Line struct {
	Gang    string       `json:"gang"`
	Project string       `json:"project,omitempty"`
	Size    waiting.Size `json:"size"`
	// Before is absent for a gang that is only in the cluster somebody thinks of, and
	// After when nothing was asked but how it is.
	Before *Fate `json:"before,omitempty"`
	After  *Fate `json:"after,omitempty"`
}

// Fate of a gang.
type Fate struct {
	// State is Running, Starts, Waits, Never or Refused.
	State string `json:"state"`
	// Start in seconds since 1970, and In in seconds from now, of one that Starts or has
	// to start again.
	Start int64 `json:"start,omitempty"`
	In    int64 `json:"in"`
	// Stops in its run.
	Stops []Stop `json:"stops,omitempty"`
	// Why it does not start now, or does not start at all.
	Why string `json:"why,omitempty"`
}

// Reason is the one that matters most, and in how many seconds it is one: why it stops rather
// than why it did not start before.
func (f *Fate) Reason() (why string, in int64) {
	if len(f.Stops) > 0 && f.State != Never && f.State != Refused {
		return f.Stops[0].Why, f.Stops[0].In
	}
	return f.Why, 0
}

// Stop is a break in a run: the gang gives way, or loses places with their node.
type Stop struct {
	// In and Again are seconds from now; Again is when it goes on, absent when that is not in
	// sight.
	In    int64  `json:"in"`
	Again *int64 `json:"again,omitempty"`
	// GivesWay to another gang, which Why names.
	GivesWay bool   `json:"givesWay,omitempty"`
	Why      string `json:"why"`
}

// States of a Fate.
const (
	Running = "Running"
	Starts  = "Starts"
	Waits   = "Waits"
	Never   = "Never"
	Refused = "Refused"
)

func fateOf(o *simulate.Outcome, now int64) *Fate {
	f := &Fate{}
	for _, b := range o.Breaks {
		stop := Stop{In: b.At - now, GivesWay: b.Why != nil && b.Why.Code == placement.Evicted, Why: b.Why.String()}
		if b.Again >= b.At {
			stop.Again = ptr.To(b.Again - now)
		}
		f.Stops = append(f.Stops, stop)
	}
	switch {
	case o.Refused != "":
		f.State, f.Why = Refused, o.Refused
	case o.Never:
		f.State, f.Why = Never, o.Reason.String()
	case o.Resumed && !o.Waits():
		f.State = Running
	case o.Started >= now && !o.Resumed:
		f.State, f.Start, f.In = Starts, o.Started, o.Started-now
		if f.In > 0 {
			f.Why = o.Why.String()
		}
	case o.Why != nil:
		f.State, f.Why = Waits, o.Why.String() // that of the end would speak of another moment
	default:
		f.State, f.Why = Waits, o.Reason.String()
	}
	return f
}

// Compare two simulations of the cluster that began at the same moment; after may be
// nil. It tells of gangs that wait at the beginning, and of those that have to stop;
// jobs of a trace are summed up elsewhere. Those come first that start first.
func (c *Cluster) Compare(before, after *simulate.Result) []Line {
	then := map[string]*simulate.Outcome{}
	if after != nil {
		for i := range after.Jobs {
			then[after.Jobs[i].Gang] = &after.Jobs[i]
		}
	}
	var lines []Line
	for i := range before.Jobs {
		o := &before.Jobs[i]
		l := Line{Gang: o.Gang, Project: o.Queue, Size: asked(o), Before: fateOf(o, before.Start)}
		if next := then[o.Gang]; next != nil {
			l.After = fateOf(next, before.Start)
			delete(then, o.Gang)
		}
		lines = append(lines, l)
	}
	same := func(l Line, fate Fate) {
		if l.Before = &fate; after != nil {
			l.After = &fate
		}
		lines = append(lines, l)
	}
	for gang, why := range c.Refused {
		same(c.refused(gang), Fate{State: Refused, Why: why})
	}
	for _, h := range c.Held {
		same(Line{Gang: h.Key, Project: h.Queue, Size: c.sizeOf(h.Key)}, Fate{State: Waits, Why: h.Why})
	}
	for _, o := range then {
		lines = append(lines, Line{Gang: o.Gang, Project: o.Queue, Size: asked(o), After: fateOf(o, before.Start)})
	}
	lines = slices.DeleteFunc(lines, func(l Line) bool { return l.dull() })
	slices.SortFunc(lines, func(a, b Line) int { return cmp.Or(a.Last().compare(b.Last()), cmp.Compare(a.Gang, b.Gang)) })
	return lines
}

// sizeOf a group, as far as its pods are there.
func (c *Cluster) sizeOf(group string) waiting.Size {
	claims := waiting.NewClaims(values(c.snapshot.ResourceClaimTemplates), values(c.snapshot.ResourceClaims))
	size := waiting.Size{}
	for _, p := range c.snapshot.Pods {
		if p.DeletionTimestamp == nil && p.Namespace+"/"+scheduler.GroupOf(p) == group {
			size.Add(p, claims.Claimed(p))
		}
	}
	return size
}

func values[T any](pointers []*T) []T {
	var all []T
	for _, p := range pointers {
		all = append(all, *p)
	}
	return all
}

// refused gang as it is written.
func (c *Cluster) refused(key string) Line {
	l := Line{Gang: key}
	for _, g := range c.snapshot.Gangs {
		if g.Namespace+"/"+g.Name == key {
			l.Project, l.Size = g.Spec.Project, waiting.SizeOf(g.Spec.PodSets)
		}
	}
	return l
}

// asked for by a gang, all its pods together.
func asked(o *simulate.Outcome) waiting.Size {
	size := waiting.Size{Pods: o.Pods, Devices: map[string]int64{}}
	for name, n := range o.Asks {
		if placement.IsDevice(name) && !placement.Beside(name) && n > 0 {
			size.Devices[name] = n
		}
	}
	return size
}

// dull lines say that a gang goes on running, or are of a trace.
func (l *Line) dull() bool {
	if strings.HasPrefix(l.Gang, TracePrefix) {
		return true
	}
	runs := func(f *Fate) bool { return f == nil || f.State == Running && len(f.Stops) == 0 }
	return runs(l.Before) && runs(l.After)
}

// Last of its fates: with what somebody thinks of, if anything was thought of.
func (l *Line) Last() *Fate {
	if l.After != nil {
		return l.After
	}
	return l.Before
}

func (f *Fate) compare(o *Fate) int {
	rank := func(f *Fate) int { return slices.Index([]string{Running, Starts, Waits, Never, Refused}, f.State) }
	return cmp.Or(cmp.Compare(rank(f), rank(o)), cmp.Compare(f.Start, o.Start))
}
