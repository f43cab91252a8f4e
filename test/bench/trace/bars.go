// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"

	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/internal/simulate"
)

// figure of a week that is compared.
type figure struct {
	what, unit string
	of         func(simulate.Report) float64
}

func figures() []figure {
	list := []figure{
		{"utilisation", "%", func(r simulate.Report) float64 { return 100 * r.Utilisation }},
		{"utilisation but for lost work", "%", func(r simulate.Report) float64 { return 100 * r.Goodput }},
		{"fairness, Jain's index", "", func(r simulate.Report) float64 { return r.Jain }},
		{"all work done after", "h", func(r simulate.Report) float64 { return hours(float64(r.Done)) }},
		{"large gangs starved", "", func(r simulate.Report) float64 { return float64(len(r.Starved)) }},
		{"gave way", "", func(r simulate.Report) float64 { return float64(r.Evictions) }},
		{"mean wait, all", "h", func(r simulate.Report) float64 { return hours(r.All.Mean) }},
	}
	for _, to := range []int64{1, 8, 64, 512} {
		sizes := fmt.Sprintf("up to %d GPUs", to)
		list = append(list,
			figure{"mean wait, " + sizes, "h", func(r simulate.Report) float64 { return hours(class(r, to).Mean) }},
			figure{"p50 wait, " + sizes, "h", func(r simulate.Report) float64 { return hours(class(r, to).P50) }},
			figure{"p95 wait, " + sizes, "h", func(r simulate.Report) float64 { return hours(class(r, to).P95) }},
			figure{"longest wait, " + sizes, "h", func(r simulate.Report) float64 { return hours(class(r, to).Max) }},
		)
	}
	for _, t := range teams() {
		list = append(list, figure{"received of what it was due, " + t.name, "%", func(r simulate.Report) float64 { return share(r, t.name) }})
	}
	return list
}

// class of the sizes up to one, and above the next smaller class.
func class(r simulate.Report, to int64) simulate.Class {
	for _, c := range r.Classes {
		if c.To == to {
			return c
		}
	}
	return simulate.Class{}
}

func hours(seconds float64) float64 { return seconds / float64(hour) }

func share(r simulate.Report, project string) float64 {
	for _, s := range r.Projects {
		if s.Project == project && s.Fair > 0 {
			return 100 * s.Received / s.Fair
		}
	}
	return math.NaN()
}

// bars: what was promised, then all figures of each policy, over the seeds.
func bars(weeks map[simulate.Policy][]simulate.Report) []bench.Bar {
	list := []bench.Bar{
		bench.AtLeast("utilisation, over strict FIFO, least of the seeds", least(weeks, simulate.FIFO), "points", 0),
		bench.AtLeast("utilisation, over best effort, least of the seeds", least(weeks, simulate.BestEffort), "points", 0),
		bench.AtMost("large gangs that waited longer than anybody in strict FIFO, most of the seeds", most(weeks), "gangs", 0),
	}
	for _, f := range figures() {
		for _, policy := range simulate.Policies() {
			var samples []float64
			for _, r := range weeks[policy] {
				samples = append(samples, f.of(r))
			}
			name := fmt.Sprintf("%s, %s: ", f.what, policy)
			list = append(list, bench.Observed(name+"median", bench.Percentile(samples, 50), f.unit))
			if len(samples) > 1 {
				list = append(list,
					bench.Observed(name+"least", bench.Percentile(samples, 0), f.unit),
					bench.Observed(name+"most", bench.Percentile(samples, 100), f.unit))
			}
		}
	}
	return list
}

// least by how many points of utilisation the scheduler is above another policy, of the
// same week.
func least(weeks map[simulate.Policy][]simulate.Report, other simulate.Policy) float64 {
	var ahead []float64
	for i, r := range weeks[simulate.Slipway] {
		ahead = append(ahead, 100*(r.Utilisation-weeks[other][i].Utilisation))
	}
	return bench.Percentile(ahead, 0)
}

func most(weeks map[simulate.Policy][]simulate.Report) float64 {
	var starved []float64
	for _, r := range weeks[simulate.Slipway] {
		starved = append(starved, float64(len(r.Starved)))
	}
	return bench.Percentile(starved, 100)
}
