// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"

	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/internal/embedded/control"
)

// samples are seconds, one of each kind for each boot. Those of node, dns and
// up were taken from outside.
type samples struct {
	node, dns, up []float64
	phases        []phase
}

// phase is one step of the boot: how long it took, and when it ended.
type phase struct {
	name       string
	took, ends []float64
}

// add takes over the phases of a boot whose command began at the given time.
// Those still running are left out: nothing that is measured waits for them.
func (s *samples) add(status *control.Status, began time.Time) {
	started := status.Started.Sub(began)
	for _, p := range status.Phases {
		if p.Done {
			into := s.phase(p.Name)
			into.took = append(into.took, p.Took.Seconds())
			into.ends = append(into.ends, (started + p.Begin + p.Took).Seconds())
		}
	}
}

func (s *samples) phase(name string) *phase {
	for i := range s.phases {
		if s.phases[i].name == name {
			return &s.phases[i]
		}
	}
	s.phases = append(s.phases, phase{name: name})
	return &s.phases[len(s.phases)-1]
}

func (s *samples) last() string {
	end := len(s.node) - 1
	return fmt.Sprintf("Node Ready after %.2f s, DNS after %.2f s", s.node[end], s.dns[end])
}

func (s *samples) bars() []bench.Bar {
	var bars []bench.Bar
	for _, p := range []float64{50, 95} {
		bars = append(bars,
			bench.AtMost(fmt.Sprintf("Node Ready, p%g", p), bench.Percentile(s.node, p), "s", nodeLimit),
			bench.AtMost(fmt.Sprintf("Node Ready as the boot reports it, p%g", p), bench.Percentile(s.phase("ready:node-0").ends, p), "s", nodeLimit),
			bench.AtMost(fmt.Sprintf("DNS answers, p%g", p), bench.Percentile(s.dns, p), "s", dnsLimit),
			bench.AtMost(fmt.Sprintf("DNS answers as the boot reports it, p%g", p), bench.Percentile(s.phase("dns").ends, p), "s", dnsLimit),
			bench.Observed(fmt.Sprintf("slipway up returns, p%g", p), bench.Percentile(s.up, p), "s"))
	}
	for _, phase := range s.phases {
		for _, p := range []float64{50, 95} {
			bars = append(bars, bench.Observed(fmt.Sprintf("phase %s, p%g", phase.name, p), bench.Percentile(phase.took, p), "s"))
		}
	}
	return bars
}
