// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package whatif

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler"
	"slipway.dev/slipway/internal/scheduler/snapshot"
	"slipway.dev/slipway/internal/simulate"
)

// oneNode of 8 GPUs, some of which are a gang's that has run for a while and may for so long in all; others
// are more objects, in YAML.
func oneNode(t *testing.T, gpus int, ran, limit time.Duration, others string) *snapshot.Snapshot {
	t.Helper()
	taken := time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)
	s, err := snapshot.Read(strings.NewReader(fmt.Sprintf(`
taken: %[1]q
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: n1}, status: {allocatable: {x/gpu: "8", pods: "9"}, conditions: [{type: Ready, status: "True"}]}}
- apiVersion: slipway.dev/v1alpha1
  kind: Gang
  metadata: {name: runs, namespace: default, creationTimestamp: %[2]q}
  spec: {maxRunTime: %[3]s, podSets: [{name: worker, count: 1, requests: {x/gpu: "%[4]d"}}]}
  status:
    conditions: [{type: Placed, status: "True", reason: Placed, message: "", lastTransitionTime: %[2]q}]
    placement: [{name: worker, slots: [{node: n1, count: 1}]}]
`, taken.Format(time.RFC3339), taken.Add(-ran).Format(time.RFC3339), limit, gpus) + others))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestKeepsPromises: a simulation begins with the promises that the scheduler gave, and lets
// nobody past them that the scheduler does not; who plans nothing keeps none.
func TestKeepsPromises(t *testing.T) {
	s := oneNode(t, 4, time.Hour, 2*time.Hour, `
- apiVersion: slipway.dev/v1alpha1
  kind: Gang
  metadata: {name: promised, namespace: default, creationTimestamp: "2026-01-01T09:30:00Z"}
  spec: {maxRunTime: 1h, podSets: [{name: worker, count: 1, requests: {x/gpu: "8"}}]}
  status: {promise: {time: "2026-01-01T11:00:00Z", number: 7}}
- {apiVersion: slipway.dev/v1alpha1, kind: Gang, metadata: {name: held, namespace: default, creationTimestamp: "2026-01-01T09:10:00Z"}, spec: {maxRunTime: 3h, podSets: [{name: w, count: 1, requests: {x/gpu: "4"}}]}}
`)
	c := New(s, 0)
	if got := startsIn(t, c, simulate.Slipway); got["default/promised"] != 3600 || got["default/held"] != 7200 {
		t.Errorf("with the scheduler they start after %v", got)
	}
	if got := startsIn(t, c, simulate.BestEffort); got["default/held"] != 0 {
		t.Errorf("without a plan they start after %v", got)
	}
	d := scheduler.Decide(s)
	held, _ := d.Answer(types.NamespacedName{Namespace: "default", Name: "held"})
	promised, _ := d.Answer(types.NamespacedName{Namespace: "default", Name: "promised"})
	if held.State != placement.Waiting || promised.Start.Unix()-c.Now() != 3600 {
		t.Errorf("the scheduler has %s for who is held, and %v for who is promised", held.State, promised.Start)
	}
}

// TestEndsSoon: a run of which 25 s are left ends in 25 s; one whose time is over in a minute.
func TestEndsSoon(t *testing.T) {
	for ran, want := range map[time.Duration]int64{time.Hour - 25*time.Second: 25, time.Hour: placement.Overrun, time.Hour + time.Minute: placement.Overrun} {
		s := oneNode(t, 8, ran, time.Hour, `
- {apiVersion: slipway.dev/v1alpha1, kind: Gang, metadata: {name: waits, namespace: default, creationTimestamp: "2026-01-01T09:50:00Z"}, spec: {maxRunTime: 1h, podSets: [{name: w, count: 1, requests: {x/gpu: "8"}}]}}
`)
		got, is := startsIn(t, New(s, 0), simulate.Slipway)["default/waits"]
		if !is || got != want {
			t.Errorf("after %v it waits %d s more (%t), want %d", ran, got, is, want)
		}
	}
}

// startsIn so many seconds each gang, simulated.
func startsIn(t *testing.T, c *Cluster, policy simulate.Policy) map[string]int64 {
	t.Helper()
	result, err := c.Simulate(t.Context(), policy, 0)
	if err != nil {
		t.Fatal(err)
	}
	starts := map[string]int64{}
	for _, o := range result.Jobs {
		starts[o.Gang] = o.Started - c.Now()
	}
	return starts
}
