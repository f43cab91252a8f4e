// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"slices"
	"strings"
)

// Report sums a result up over a window of time.
type Report struct {
	Policy Policy `json:"policy"`
	// From and To bound the window, in seconds since 1970. It ends with the simulation at the latest.
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Resource that is looked at.
	Resource string `json:"resource"`
	// Utilisation is the share of what nodes offered that was used; Goodput leaves out
	// what was lost by interruptions.
	Utilisation float64 `json:"utilisation"`
	Goodput     float64 `json:"goodput"`
	// Done is when the last gang ended; -1 when some had not.
	Done int64 `json:"done"`
	// Classes of sizes, small ones first, and all together.
	Classes []Class `json:"classes"`
	All     Class   `json:"all"`
	// Projects that asked for any of the resource, and how fair they were treated.
	Projects []Share `json:"projects"`
	Jain     float64 `json:"jain"`
	// Starved are large gangs that waited too long.
	Starved []string `json:"starved"`
	// Evictions of gangs, and the share of what was used that interruptions lost.
	Evictions int     `json:"evictions"`
	Lost      float64 `json:"lost"`
}

// Terms of a report.
type Terms struct {
	// Resource to look at; empty is the one that is used most of what there is.
	Resource string
	// From and To bound the window; To zero is the end. What was used is counted by the
	// hour since the start: of an hour that is partly within it counts in part.
	From, To int64
	// Of gangs whose keys begin so it is told how they waited and stopped; empty for all.
	Of string
	// Large is the size from which on a gang is large; Patience is for how long, in
	// seconds, one may wait before it counts as starved.
	Large, Patience int64
}

// Class of gangs that came in the window, by size.
type Class struct {
	// From and To are the least and the greatest size.
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Jobs of the class, and how many of them have not started. These have waited until
	// the end at least, and count so.
	Jobs      int `json:"jobs"`
	Unstarted int `json:"unstarted"`
	// Waits in seconds.
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	Max  float64 `json:"max"`
}

// Report over a window.
func (r *Result) Report(t Terms) Report {
	if t.To == 0 {
		t.To = r.End
	}
	if t.Resource == "" {
		t.Resource = r.busiest()
	}
	jobs := r.arrivedWithin(t)
	t.To = min(t.To, max(r.End, t.From+1))
	use := r.Use[t.Resource]
	offered, used, wasted := r.within(use.Offered, t), r.within(use.Used, t), r.within(use.Wasted, t)
	out := Report{
		Policy: r.Policy, From: t.From, To: t.To, Resource: t.Resource,
		Utilisation: ratio(used, offered), Goodput: ratio(used-wasted, offered), Lost: ratio(wasted, used),
		Done: r.done(),
	}
	for _, o := range jobs {
		out.Evictions += o.Evictions
		if o.Size >= t.Large && o.Waited > t.Patience && !o.Never && o.Refused == "" {
			out.Starved = append(out.Starved, o.Gang)
		}
	}
	out.Classes, out.All = classes(jobs), summarise(jobs)
	out.Projects = r.shares(t)
	out.Jain = jain(out.Projects)
	return out
}

func (r *Result) arrivedWithin(t Terms) []Outcome {
	return slices.DeleteFunc(slices.Clone(r.Jobs), func(o Outcome) bool {
		return o.Arrived < t.From || o.Arrived >= t.To || !strings.HasPrefix(o.Gang, t.Of)
	})
}

// done is when the last gang ended that can.
func (r *Result) done() int64 {
	last := r.Start
	for _, o := range r.Jobs {
		switch {
		case o.Never || o.Refused != "":
		case o.Ended == never:
			return never
		}
		last = max(last, o.Ended)
	}
	return last
}

// busiest resource: the one of which most is used of what there is.
func (r *Result) busiest() string {
	best, most := "", -1.0
	for _, name := range sortedKeys(r.Use) {
		if share := ratio(sum(r.Use[name].Used), sum(r.Use[name].Offered)); share > most {
			best, most = name, share
		}
	}
	return best
}

// within the window, steps in part.
func (r *Result) within(list []float64, t Terms) float64 {
	total := 0.0
	for i, v := range list {
		from := r.Start + int64(i)*step
		to := min(from+step, max(r.End, from+1))
		if overlap := min(to, t.To) - max(from, t.From); overlap > 0 {
			total += v * float64(overlap) / float64(to-from)
		}
	}
	return total
}

// largest class ends there: more devices than there are anywhere.
const largest = int64(1) << 30

// classes are powers of eight, of which there are few and which users think in: one
// device, a node, a rack, and so on.
func classes(jobs []Outcome) []Class {
	var all []Class
	for from, to := int64(0), int64(1); to <= largest; from, to = to+1, to*8 {
		within := slices.DeleteFunc(slices.Clone(jobs), func(o Outcome) bool { return o.Size < from || o.Size > to })
		if len(within) > 0 {
			c := summarise(within)
			c.From, c.To = max(from, 1), to
			all = append(all, c)
		}
	}
	return all
}

func summarise(jobs []Outcome) Class {
	var c Class
	var waits []float64
	for _, o := range jobs {
		c.Jobs++
		if o.Started == never {
			c.Unstarted++
		}
		waits = append(waits, float64(o.Waited))
	}
	slices.Sort(waits)
	c.Mean = ratio(sum(waits), float64(len(waits)))
	c.P50, c.P95, c.Max = percentile(waits, 50), percentile(waits, 95), percentile(waits, 100)
	return c
}

// percentile of sorted samples by nearest rank; zero without any.
func percentile(sorted []float64, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := (p*len(sorted) + 99) / 100
	return sorted[max(rank, 1)-1]
}

func sum(list []float64) float64 {
	total := 0.0
	for _, v := range list {
		total += v
	}
	return total
}

// ratio is zero of nothing.
func ratio(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}
