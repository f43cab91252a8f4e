// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"strings"
	"testing"

	"slipway.dev/slipway/internal/cli/whatif"
	"slipway.dev/slipway/internal/simulate"
)

// TestReportsOfOtherClasses: figures stand beside those of the same sizes and the same
// project, however many of them a report has.
func TestReportsOfOtherClasses(t *testing.T) {
	share := func(name string, received float64) simulate.Share {
		return simulate.Share{Project: name, Fair: 100, Received: received}
	}
	reports := []simulate.Report{
		{Classes: []simulate.Class{{From: 2, To: 8, Jobs: 1, Mean: 10}, {From: 9, To: 64, Jobs: 1, Mean: 20}},
			Projects: []simulate.Share{share("b", 50), share("c", 60)}},
		{Classes: []simulate.Class{{From: 1, To: 1, Jobs: 1, Mean: 30}, {From: 2, To: 8, Jobs: 2, Mean: 40}},
			Projects: []simulate.Share{share("a", 70), share("b", 80)}},
	}
	var out bytes.Buffer
	if err := printReports(&out, reports); err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "wait") || strings.HasPrefix(line, "received") {
			rows = append(rows, strings.Join(strings.Fields(line[strings.LastIndex(line, ":"):]), " "))
		}
	}
	want := ": mean, p95, max 10s, 0s, 0s 40s, 0s, 0s|: mean, p95, max 20s, 0s, 0s -|: b 50.0 % 80.0 %|: c 60.0 % -"
	if got := strings.Join(rows, "|"); got != want {
		t.Errorf("printed\n%s, want\n%s", got, want)
	}
}

// TestUnstartedJobs are told apart from those that waited for a while.
func TestUnstartedJobs(t *testing.T) {
	class := func(unstarted int) simulate.Class {
		return simulate.Class{From: 1, To: 1, Jobs: 3, Unstarted: unstarted, Mean: 10, P95: 20, Max: 30}
	}
	for unstarted, want := range map[int]string{
		0: "10s, 20s, 30s", 1: "at least 10s, 20s, 30s; 1 unstarted", 3: "none starts",
	} {
		if got := waitOf(simulate.Report{Classes: []simulate.Class{class(unstarted)}}, 1, 1); got != want {
			t.Errorf("%d not started: says %q, want %q", unstarted, got, want)
		}
	}
	for unstarted, want := range map[int]string{0: "nothing waits\n", 1: "nothing waits but jobs of the trace\n"} {
		var out bytes.Buffer
		answer := whatIfAnswer{Trace: []simulate.Report{{All: class(unstarted)}}}
		if err := answer.print(&out, false); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("%d not started: says %q, want %q", unstarted, out.String(), want)
		}
	}
}

// TestStopsInWords: when a gang stops, and how it goes on.
func TestStopsInWords(t *testing.T) {
	at := func(in int64, again ...int64) whatif.Stop {
		s := whatif.Stop{In: in}
		if len(again) > 0 {
			s.Again = &again[0]
		}
		return s
	}
	way := at(600, 1200)
	way.GivesWay = true
	for want, f := range map[string]whatif.Fate{
		"runs":                                   {State: whatif.Running},
		"runs, gives way in 10m, goes on in 20m": {State: whatif.Running, Stops: []whatif.Stop{way}},
		"loses a node now, goes on at once":      {State: whatif.Running, Stops: []whatif.Stop{at(0, 0)}},
		"in 5m, gives way in 10m, goes on in 20m (2 stops in all)":                             {State: whatif.Starts, In: 300, Stops: []whatif.Stop{way, at(1300, 1400)}},
		"runs, loses a node in 10m, never returns":                                             {State: whatif.Never, Stops: []whatif.Stop{at(600)}},
		"loses a node now, no return in sight":                                                 {State: whatif.Waits, Stops: []whatif.Stop{at(0)}},
		"loses a node now, goes on in 60m (2 stops in all, no return in sight after the last)": {State: whatif.Waits, Stops: []whatif.Stop{at(0, 3600), at(7200)}},
	} {
		if got := fateWords(&f); got != want {
			t.Errorf("says %q, want %q", got, want)
		}
	}
}
