// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"slices"

	"slipway.dev/slipway/internal/placement"
)

// Share of a project in a window, in units of the resource times seconds.
type Share struct {
	Project string `json:"project"`
	// Jobs that came in the window, or were there before and had not ended.
	Jobs int `json:"jobs"`
	// Demand of these: what they would have used in the window had each started at once.
	Demand float64 `json:"demand"`
	// Fair is what it was due of what nodes offered, Received what it used.
	Fair     float64 `json:"fair"`
	Received float64 `json:"received"`
	// MeanWait of its gangs, in seconds.
	MeanWait float64 `json:"meanWait"`
}

// shares of the projects. What they are due is divided by the scheduler's own rule
// for siblings: first to each what it is guaranteed, then the rest by weight, nobody
// more than it demands (max-min fairness by filling). The tree above them is not
// looked at. Gangs of projects that are not there are due nothing.
func (r *Result) shares(t Terms) []Share {
	byName := map[string]*Share{}
	for i := range r.Jobs {
		o := &r.Jobs[i]
		wants, amount := o.wants(t), o.Asks[t.Resource]
		if wants > 0 && amount > 0 && !o.Never && o.Refused == "" && (o.Queue == "" || r.queue(o.Queue) != nil) {
			s := byName[o.Queue]
			if s == nil {
				s = &Share{Project: o.Queue}
				byName[o.Queue] = s
			}
			s.Jobs++
			s.Demand += float64(amount) * float64(wants)
			s.MeanWait += float64(o.Waited)
		}
	}
	var all []Share
	for _, name := range sortedKeys(byName) {
		s := byName[name]
		s.MeanWait /= float64(s.Jobs)
		s.Received = r.within(r.Projects[name][t.Resource], t)
		all = append(all, *s)
	}
	r.divide(all, t)
	return all
}

// divide into fair shares what was offered and pods of no gang left. Guarantees of more than
// that shrink alike.
func (r *Result) divide(shares []Share, t Terms) {
	left := r.within(r.Use[t.Resource].Offered, t) - r.within(r.Projects[nobody][t.Resource], t)
	window, promised := float64(t.To-t.From), 0.0
	for i := range shares {
		guaranteed, _ := r.quota(shares[i].Project, t.Resource)
		shares[i].Fair = min(guaranteed*window, shares[i].Demand)
		promised += shares[i].Fair
	}
	if promised > left {
		for i := range shares {
			shares[i].Fair *= left / promised
		}
		return
	}
	for left -= promised; left > 1; {
		var hungry []*Share
		weights := 0.0
		for i := range shares {
			if s := &shares[i]; s.Fair < s.Demand {
				_, weight := r.quota(s.Project, t.Resource)
				hungry, weights = append(hungry, s), weights+weight
			}
		}
		if len(hungry) == 0 {
			return
		}
		portion := left / weights
		for _, s := range hungry {
			_, weight := r.quota(s.Project, t.Resource)
			more := min(portion*weight, s.Demand-s.Fair)
			s.Fair += more
			left -= more
		}
	}
}

// quota of a project: what it is guaranteed of a resource, and its weight.
func (r *Result) quota(project, resource string) (guaranteed, weight float64) {
	of := r.queue(project)
	if of == nil {
		return 0, 1
	}
	for _, q := range of.Quota {
		if q.Resource == resource && q.Kind == "" {
			guaranteed = float64(q.Guaranteed)
		}
	}
	return guaranteed, float64(max(of.Weight, 1))
}

// queue of a project; nil for one that is not there.
func (r *Result) queue(project string) *placement.Queue {
	i := slices.IndexFunc(r.Queues, func(q placement.Queue) bool { return q.Name == project })
	if i < 0 {
		return nil
	}
	return &r.Queues[i]
}

// jain is the fairness index of Jain, Chiu and Hawe, "A Quantitative Measure of
// Fairness and Discrimination for Resource Allocation in Shared Computer Systems",
// DEC Research Report TR-301, 1984: (Σx)² / (n·Σx²), here with x what a project
// received of what it was due, 1 at most: what nobody else wanted is no injustice.
// It is 1 when all are treated alike and 1/n when one has everything.
func jain(shares []Share) float64 {
	total, squares, n := 0.0, 0.0, 0.0
	for _, s := range shares {
		if s.Fair > 0 {
			x := min(s.Received/s.Fair, 1)
			total += x
			squares += x * x
			n++
		}
	}
	if squares == 0 {
		return 1
	}
	return total * total / (n * squares)
}
