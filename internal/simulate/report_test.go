// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway.dev/slipway/internal/placement"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

// TestJain: the examples of the definition, one of n served and all alike.
func TestJain(t *testing.T) {
	for _, c := range []struct {
		shares []Share
		want   float64
	}{
		{nil, 1},
		{[]Share{{Fair: 1, Received: 1}, {Fair: 2, Received: 2}}, 1},
		{[]Share{{Fair: 4, Received: 2}, {Fair: 2, Received: 1}}, 1},
		{[]Share{{Fair: 1, Received: 1}, {Fair: 1}, {Fair: 1}, {Fair: 1}}, 0.25},
		{[]Share{{Fair: 1, Received: 5}, {Fair: 1, Received: 1}}, 1},
		{[]Share{{Fair: 1, Received: 1}, {Fair: 1, Received: 0.5}}, 2.25 / 2.5},
		{[]Share{{Fair: 1, Received: 1}, {Fair: 0, Received: 0}}, 1},
	} {
		if got := jain(c.shares); !near(got, c.want) {
			t.Errorf("%v: %v, want %v", c.shares, got, c.want)
		}
	}
}

// TestFairShares of 16 GPUs over 100 s.
func TestFairShares(t *testing.T) {
	for _, c := range []struct {
		name   string
		queues []placement.Queue
		demand []float64 // of a, b and c
		want   []float64
	}{
		{"enough for all", nil, []float64{100, 200, 300}, []float64{100, 200, 300}},
		{"alike", nil, []float64{1600, 1600, 1600}, []float64{1600. / 3, 1600. / 3, 1600. / 3}},
		{"what one leaves the others share", nil, []float64{100, 1600, 1600}, []float64{100, 750, 750}},
		{"by weight", []placement.Queue{{Name: "a", Weight: 2}}, []float64{1600, 1600, 1600}, []float64{800, 400, 400}},
		{"guarantees first", []placement.Queue{guaranteed("a", 8)}, []float64{1600, 1600, 0}, []float64{1200, 400, 0}},
		{"a guarantee that is not wanted", []placement.Queue{guaranteed("a", 8)}, []float64{100, 1600, 0}, []float64{100, 1500, 0}},
		{"too much guaranteed", []placement.Queue{guaranteed("a", 24), guaranteed("b", 8)}, []float64{2400, 800, 1600}, []float64{1200, 400, 0}},
	} {
		r := &Result{End: 100, Queues: c.queues, Use: map[string]Use{"x/gpu": {Offered: []float64{1600}}}}
		var shares []Share
		for i, demand := range c.demand {
			shares = append(shares, Share{Project: string(rune('a' + i)), Demand: demand})
		}
		r.divide(shares, Terms{Resource: "x/gpu", To: 100})
		for i, s := range shares {
			if !near(s.Fair, c.want[i]) {
				t.Errorf("%s: %s is due %v, want %v", c.name, s.Project, s.Fair, c.want[i])
			}
		}
	}
}

func TestReport(t *testing.T) {
	result := mustRun(t, Input{Nodes: nodes(2), Jobs: []Job{
		job("A", 0, 1, 8, 100, 100), job("B", 1, 2, 8, 10, 10), job("C", 2, 1, 1, 50, 50), job("D", 3, 9, 8, 10, 10),
	}}, FIFO)
	r := result.Report(Terms{Large: 9, Patience: 90})
	// Eight for 100 s, sixteen for 10 s and one for 50 s.
	if want := 1010. / (16 * 160); r.Resource != "x/gpu" || !near(r.Utilisation, want) || r.Done != 160 {
		t.Errorf("used %v of %s until %d, want %v of x/gpu until 160", r.Utilisation, r.Resource, r.Done, want)
	}
	// B waits from 1 to 100. C, behind it, from 2 to 110. D never fits.
	want := []Class{
		{From: 1, To: 1, Jobs: 1, Mean: 108, P50: 108, P95: 108, Max: 108},
		{From: 2, To: 8, Jobs: 1},
		{From: 9, To: 64, Jobs: 1, Mean: 99, P50: 99, P95: 99, Max: 99},
		{From: 65, To: 512, Jobs: 1, Unstarted: 1, Mean: 157, P50: 157, P95: 157, Max: 157},
	}
	if diff := cmp.Diff(want, r.Classes); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"B"}, r.Starved); diff != "" {
		t.Errorf("starved (-want +got):\n%s", diff)
	}
}

// TestSharesOfAll: a project is due what it had before, too, as long as it goes on, and receives no
// more than it wants; what pods of no gang have is nobody's. Who is of no project that is there, fits
// never or comes later is due nothing.
func TestSharesOfAll(t *testing.T) {
	const now, hour = 10_000, 3600
	runs := in(job("runs", now-2*hour, 1, 8, hour+1800, 0), "a") // for half an hour more
	runs.Gang.Started = now - hour
	runs.Gang.Placement = []placement.SetPlacement{{Set: "w", Slots: []placement.Slot{{Node: "n0", Count: 1}}}}
	result := mustRun(t, Input{Start: now, Nodes: nodes(3), Queues: []placement.Queue{guaranteed("a", 0), guaranteed("b", 0)},
		Pods: []placement.Pod{{Key: "other", Node: "n2", Requests: placement.Resources{"x/gpu": 4}}},
		Jobs: []Job{runs, in(job("trace/b", now+60, 1, 8, 2*hour, 0), "b"), in(job("more/b", now, 1, 16, hour, 0), "b"),
			in(job("second/b", now+60, 1, 8, 2*hour, 0), "b"), in(job("third/b", now+60, 1, 8, 2*hour, 0), "b"),
			in(job("later/b", now+hour, 1, 8, hour, 0), "b"), in(job("waits", now, 1, 1, 100, 0), "missing")},
	}, Slipway)
	r := result.Report(Terms{From: now, To: now + hour, Of: "trace/"})
	want := []Share{
		{Project: "a", Jobs: 1, Demand: 8 * hour / 2, Fair: 8 * hour / 2, Received: 8 * hour / 2, MeanWait: hour},
		// One has n1, one n0 when the other project has left it, and one waits. All three would have had what is left.
		{Project: "b", Jobs: 3, Demand: 3 * 8 * (hour - 60), Fair: (24-4)*hour - 8*hour/2, Received: 8*(hour-60) + 8*hour/2,
			MeanWait: (0 + (hour/2 - 60) + 2*hour) / 3},
	}
	if diff := cmp.Diff(want, r.Projects); diff != "" || r.All.Jobs != 1 {
		t.Errorf("of %d jobs (-want +got):\n%s", r.All.Jobs, diff)
	}
	if r := result.Report(Terms{From: now, To: result.End + 1}); r.To != result.End {
		t.Errorf("it counts until %d, and the simulation ended at %d", r.To, result.End)
	}
}
