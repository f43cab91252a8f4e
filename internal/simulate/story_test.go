// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway.dev/slipway/internal/placement"
)

// outcome of a gang.
func (r *Result) of(t *testing.T, gang string) Outcome {
	t.Helper()
	for _, o := range r.Jobs {
		if o.Gang == gang {
			return o
		}
	}
	t.Fatalf("there is no gang %s", gang)
	return Outcome{}
}

func guaranteed(name string, gpus int64) placement.Queue {
	return placement.Queue{Name: name, Quota: []placement.Quota{{Resource: "x/gpu", Guaranteed: gpus, Limit: placement.Unlimited}}}
}

// TestEviction: B borrows the whole of one node; A, which is guaranteed it, takes it back
// after 250 s. B has saved twice, every 100 s, so that 50 s are lost and 300 are left.
func TestEviction(t *testing.T) {
	b := in(job("B", 0, 1, 8, 500, 0), "lender")
	b.Checkpoint = 100
	result := mustRun(t, Input{
		Nodes: nodes(1), Queues: []placement.Queue{guaranteed("owner", 8), guaranteed("lender", 0)}, Grace: 30,
		Jobs: []Job{b, in(job("A", 250, 1, 8, 100, 0), "owner")},
	}, Slipway)
	// The pods of B have 30 s to end; B goes on at 250+30+100.
	want := map[string]times{"A": {280, 380}, "B": {0, 680}}
	if diff := cmp.Diff(want, result.times()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if o := result.of(t, "B"); o.Evictions != 1 || o.Lost != 50 {
		t.Errorf("B was evicted %d times and lost %d s, want once and 50 s", o.Evictions, o.Lost)
	}
	r := result.Report(Terms{To: 680})
	// Used are 250 + 100 + 300 of 680 s, 50 of them in vain.
	if got, want := r.Utilisation, 650.0/680; math.Abs(got-want) > 1e-9 {
		t.Errorf("utilisation is %v, want %v", got, want)
	}
	if got, want := r.Goodput, 600.0/680; math.Abs(got-want) > 1e-9 {
		t.Errorf("goodput is %v, want %v", got, want)
	}
}

// restless wants to decide again every hour, as when jobs that never end take turns.
type restless struct {
	slipway
	now int64
}

func (d *restless) decide(now int64) []placement.Verdict { d.now = now; return d.slipway.decide(now) }
func (d *restless) wake() (int64, bool)                  { return d.now + 3600, true }

// TestTurnsEnd: nothing happens any more when all that ends has, however long that took, and what has no end
// did nothing but take turns.
func TestTurnsEnd(t *testing.T) {
	const hour = 3600
	in := Input{Nodes: nodes(2), Jobs: []Job{job("long", 0, 1, 8, 300*hour, 0), job("endless", 5, 1, 8, 0, 0), job("late", 300*hour, 1, 8, 9*hour, 0)}}
	result, err := simulate(in, Slipway, func(p *placement.Picture, _ *Input) driver { return &restless{slipway: slipway{direct: direct{p}}} })
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]times{"long": {0, 300 * hour}, "endless": {5, -1}, "late": {300 * hour, 309 * hour}}
	if diff := cmp.Diff(want, result.times()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if last := int64(309*hour + 300*hour + turns); result.End > last || result.End < last-hour {
		t.Errorf("it ends at %d, want %d", result.End, last)
	}
}

// TestElderWakes: nothing happens from when B waits until it has for a day; then A, which came
// after it and runs, gives way.
func TestElderWakes(t *testing.T) {
	const day = 24 * 60 * 60
	a, b := job("A", 20, 1, 8, 3*day, 0), job("B", 10, 2, 8, 100, 0)
	a.Gang.Created, b.Gang.Created = 20, 10
	result := mustRun(t, Input{
		Nodes: nodes(2), Grace: 30, Jobs: []Job{job("first", 0, 1, 8, 100, 0), a, b},
	}, Slipway)
	if got, want := result.of(t, "B").Started, int64(10+day+1+30); got != want {
		t.Errorf("B starts at %d, want %d", got, want)
	}
}

// TestSaves: of two that borrow a node the one gives way that has just saved what it did,
// 50 s ago, though it has run for longer than the other.
func TestSaves(t *testing.T) {
	saves := in(job("saves", 0, 1, 8, 500, 0), "lender")
	saves.Checkpoint = 100
	result := mustRun(t, Input{
		Nodes: nodes(2), Queues: []placement.Queue{guaranteed("owner", 8), guaranteed("lender", 0)},
		Jobs: []Job{saves, in(job("saves not", 100, 1, 8, 500, 0), "lender"), in(job("A", 250, 1, 8, 100, 0), "owner")},
	}, Slipway)
	if o := result.of(t, "saves"); o.Evictions != 1 || o.Lost != 50 {
		t.Errorf("who saves was evicted %d times and lost %d s, want once and 50 s", o.Evictions, o.Lost)
	}
	want := map[string]times{"A": {250, 350}, "saves": {0, 650}, "saves not": {100, 600}}
	if diff := cmp.Diff(want, result.times()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestForever: a job that saves and never ends does not keep the simulation from ending.
func TestForever(t *testing.T) {
	j := job("A", 0, 1, 8, 0, 0)
	j.Checkpoint = 100
	result := mustRun(t, Input{Nodes: nodes(1), Jobs: []Job{j}}, Slipway)
	if o := result.of(t, "A"); !o.Running || result.End != 0 {
		t.Errorf("it runs: %t; the simulation ended at %d, want 0", o.Running, result.End)
	}
}

// TestElder: L wants all of both nodes, and small jobs come all the time, one before the
// other has ended. After a day two of those that overtook it give way; strict FIFO would
// have made everybody wait, and best effort L for ever.
func TestElder(t *testing.T) {
	const hour = 3600
	input := Input{Nodes: nodes(2), Until: 50 * hour, Jobs: []Job{job("first", 0, 1, 8, 2*hour, 0), job("L", 1, 2, 8, hour, hour)}}
	for i := range int64(55) {
		input.Jobs = append(input.Jobs, job(fmt.Sprint("small", i), hour*i+2, 1, 8, 90*60, 0))
	}
	started := map[Policy]int64{}
	for _, policy := range Policies() {
		started[policy] = mustRun(t, input, policy).of(t, "L").Started
	}
	want := map[Policy]int64{FIFO: 2 * hour, BestEffort: never, Slipway: 24*hour + 2}
	if diff := cmp.Diff(want, started); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestOverrun: A says 100 s and runs 300. B, which was promised the node at 100, starts
// when A really ends.
func TestOverrun(t *testing.T) {
	result := mustRun(t, Input{Nodes: nodes(1), Jobs: []Job{job("A", 0, 1, 8, 300, 100), job("B", 1, 1, 8, 10, 10)}}, Slipway)
	if diff := cmp.Diff(map[string]times{"A": {0, 300}, "B": {300, 310}}, result.times()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNodeGoes: A loses a node after 150 s, with nothing saved, and begins again when
// another comes at 200.
func TestNodeGoes(t *testing.T) {
	third := nodes(3)[2]
	result := mustRun(t, Input{
		Nodes:   nodes(2),
		Jobs:    []Job{job("A", 0, 2, 8, 300, 0)},
		Changes: []Change{{At: 150, DropNodes: []string{"n1"}}, {At: 200, SetNodes: []placement.Node{third}}},
	}, Slipway)
	if diff := cmp.Diff(map[string]times{"A": {0, 500}}, result.times()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if use := result.Use["x/gpu"]; use.Offered[0] != 16*150+8*50+16*300 || use.Used[0] != 16*150+16*300 || use.Wasted[0] != 16*150 {
		t.Errorf("offered, used and wasted are %v, %v and %v", use.Offered, use.Used, use.Wasted)
	}
}

// TestQuotaChanges: B is over its limit until that is raised.
func TestQuotaChanges(t *testing.T) {
	limited := func(gpus int64) []placement.Queue {
		return []placement.Queue{{Name: "q", Quota: []placement.Quota{{Resource: "x/gpu", Limit: gpus}}}}
	}
	for _, policy := range Policies() {
		result := mustRun(t, Input{
			Nodes: nodes(2), Queues: limited(8),
			Jobs:    []Job{in(job("A", 0, 1, 8, 300, 300), "q"), in(job("B", 1, 1, 8, 10, 10), "q"), job("C", 2, 1, 1, 10, 10)},
			Changes: []Change{{At: 50, SetQueues: limited(16)}},
		}, policy)
		if diff := cmp.Diff(map[string]times{"A": {0, 300}, "B": {50, 60}, "C": {2, 12}}, result.times()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", policy, diff)
		}
	}
}

// TestRunsAlready: A has run for 60 s of 100 when the simulation begins, its pod bound;
// B waits for it.
func TestRunsAlready(t *testing.T) {
	a := job("A", 900, 1, 8, 100, 100)
	a.Gang.Started = 940
	a.Gang.Placement = []placement.SetPlacement{{Set: "w", Slots: []placement.Slot{{Node: "n0", Count: 1}}}}
	result := mustRun(t, Input{
		Start: 1000, Nodes: nodes(1), Jobs: []Job{a, job("B", 950, 1, 8, 10, 10)},
		Pods: []placement.Pod{
			{Key: "uid-1", Node: "n0", Gang: "A", Set: "w", Requests: placement.Resources{"x/gpu": 8}},
		},
	}, Slipway)
	if diff := cmp.Diff(map[string]times{"A": {940, 1040}, "B": {1040, 1050}}, result.times()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestElastic: A can do without one of its two pods. It runs 100 s with both places
// taken by half, alone on the one node that is free.
func TestElastic(t *testing.T) {
	a := job("A", 10, 2, 8, 100, 0)
	a.Gang.Sets[0].Optional = 1
	a.Checkpoint = 1
	result := mustRun(t, Input{Nodes: nodes(2), Jobs: []Job{job("B", 0, 1, 8, 60, 60), a}}, Slipway)
	// 50 s with one pod until B ends, then the remaining 150 pod-seconds with two.
	if diff := cmp.Diff(map[string]times{"A": {10, 135}, "B": {0, 60}}, result.times()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWhy: those that never start say why.
func TestWhy(t *testing.T) {
	result := mustRun(t, Input{Nodes: nodes(1), Jobs: []Job{
		job("never", 0, 2, 8, 10, 10), job("forever", 0, 1, 8, 0, 0), job("behind", 1, 1, 8, 10, 10), job("absurd", 2, -1, 8, 10, 10),
	}}, Slipway)
	if o := result.of(t, "never"); !o.Never || o.Reason == nil || o.Reason.Remedy == "" {
		t.Errorf("never: %+v", o)
	}
	if o := result.of(t, "forever"); !o.Running || o.Expected != 0 {
		t.Errorf("forever: %+v", o)
	}
	if o := result.of(t, "behind"); !o.Waits() || o.Reason == nil || o.Why == nil {
		t.Errorf("behind: %+v", o)
	}
	if o := result.of(t, "absurd"); o.Refused == "" {
		t.Errorf("absurd: %+v", o)
	}
}

func TestRefusesInput(t *testing.T) {
	for _, in := range []Input{
		{Jobs: []Job{job("A", 0, 1, 1, 1, 1), job("A", 0, 1, 1, 1, 1)}},
		{Jobs: []Job{job("A", 0, 1, 1, -1, 1)}},
		{Jobs: []Job{{Gang: placement.Gang{Key: "A"}, Checkpoint: -1}}},
		{Queues: []placement.Queue{{Name: "a", Parent: "a"}}},
	} {
		if _, err := Run(in, Slipway); err == nil {
			t.Errorf("%+v was not refused", in)
		}
	}
}

// TestSaidPlaces: of a placement that a gang is said to have only those places count that
// it has pods for, and none on no node, where an elastic gang runs without its ranks.
func TestSaidPlaces(t *testing.T) {
	a := job("A", 0, 2, 8, 100, 100)
	a.Gang.Sets[0].Optional = 1
	two := nodes(2)
	for name, c := range map[string]struct {
		nodes []placement.Node
		slots []placement.Slot
		used  float64
	}{
		"too many": {two, []placement.Slot{{Node: "n0", Count: 1}, {Node: "n1", Count: math.MaxInt32}}, 160},
		"negative": {two, []placement.Slot{{Node: "n0", Count: 1}, {Node: "n1", Count: 1}, {Node: "n0", Count: -5}}, 160},
		"a hole":   {two[1:], []placement.Slot{{Node: "", Count: 1}, {Node: "n1", Count: 1}}, 80},
	} {
		a.Gang.Placement = []placement.SetPlacement{{Set: "w", Slots: c.slots}, {Set: "other", Slots: c.slots}}
		result := mustRun(t, Input{Nodes: c.nodes, Jobs: []Job{a}, Until: 10}, BestEffort)
		if used := result.Use["x/gpu"].Used[0]; used != c.used || !result.of(t, "A").Running {
			t.Errorf("%s: used %v, want %v; %+v", name, used, c.used, result.of(t, "A"))
		}
	}
	got := places([]placement.SetPlacement{{Set: "w", Slots: []placement.Slot{{Count: 2}, {Node: "n", Count: 1}}}})
	if diff := cmp.Diff([]place{{"w", 2, "n"}}, got, cmp.AllowUnexported(place{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestInterrupted(t *testing.T) {
	asked := 0
	in := Input{Nodes: nodes(1), Jobs: []Job{job("A", 0, 1, 8, 100, 100), job("B", 0, 1, 8, 100, 100)}, Interrupted: func() bool {
		asked++
		return asked > 2
	}}
	if _, err := Run(in, Slipway); !errors.Is(err, ErrInterrupted) || asked != 3 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

// TestPodsGoWithTheirNode: what pods of no gang use ends with the node that they are on.
func TestPodsGoWithTheirNode(t *testing.T) {
	result := mustRun(t, Input{
		Nodes: nodes(2), Until: 100, Changes: []Change{{At: 50, DropNodes: []string{"n1"}}},
		Pods: []placement.Pod{
			{Key: "a", Node: "n0", Requests: placement.Resources{"x/gpu": 8}},
			{Key: "b", Node: "n1", Requests: placement.Resources{"x/gpu": 8}},
		},
	}, Slipway)
	if use := result.Use["x/gpu"]; use.Used[0] != 16*50+8*50 || use.Used[0] > use.Offered[0] {
		t.Errorf("used %v of %v", use.Used, use.Offered)
	}
}
