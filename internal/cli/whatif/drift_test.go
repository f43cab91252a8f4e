// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package whatif

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler"
	"slipway.dev/slipway/internal/scheduler/snapshot"
	"slipway.dev/slipway/internal/simulate"
)

const cluster = `
taken: "2026-01-01T10:00:00Z"
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: team, labels: {slipway.dev/project: speech}}}
- {apiVersion: v1, kind: Node, metadata: {name: n1}, status: {allocatable: {x/gpu: "8", pods: "9"}, conditions: [{type: Ready, status: "True"}]}}
- {apiVersion: v1, kind: Node, metadata: {name: n2}, status: {allocatable: {x/gpu: "8", pods: "9"}, conditions: [{type: Ready, status: "True"}]}}
- {apiVersion: v1, kind: Node, metadata: {name: n3}, spec: {unschedulable: true}, status: {allocatable: {x/gpu: "8", pods: "9"}, conditions: [{type: Ready, status: "True"}]}}
- {apiVersion: slipway.dev/v1alpha1, kind: Project, metadata: {name: speech}, spec: {quota: [{resource: x/gpu, guaranteed: "8", limit: "12"}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: other, namespace: default}, spec: {nodeName: n1, containers: [{name: c, resources: {requests: {x/gpu: "2"}}}]}}
- apiVersion: slipway.dev/v1alpha1
  kind: Gang
  metadata: {name: runs, namespace: default, creationTimestamp: "2026-01-01T09:00:00Z"}
  spec: {maxRunTime: 2h, podSets: [{name: worker, count: 1, requests: {x/gpu: "8"}}]}
  status:
    conditions: [{type: Placed, status: "True", reason: Placed, message: "", lastTransitionTime: "2026-01-01T09:00:00Z"}]
    placement: [{name: worker, slots: [{node: n2, count: 1}]}]
- {apiVersion: slipway.dev/v1alpha1, kind: Gang, metadata: {name: starts, namespace: team}, spec: {podSets: [{name: w, count: 3, requests: {x/gpu: "1"}}]}}
- {apiVersion: slipway.dev/v1alpha1, kind: Gang, metadata: {name: takes-back, namespace: team}, spec: {podSets: [{name: w, count: 1, requests: {x/gpu: "5"}}]}}
- {apiVersion: slipway.dev/v1alpha1, kind: Gang, metadata: {name: over, namespace: team}, spec: {podSets: [{name: w, count: 13, requests: {x/gpu: "1"}}]}}
- {apiVersion: slipway.dev/v1alpha1, kind: Project, metadata: {name: a}, status: {pastUsage: {time: "2026-01-01T09:00:00Z", mean: {x/fpga: "1"}}}}
- {apiVersion: slipway.dev/v1alpha1, kind: Project, metadata: {name: b}}
- {apiVersion: v1, kind: Node, metadata: {name: n4}, status: {allocatable: {x/fpga: "1", pods: "9"}, conditions: [{type: Ready, status: "True"}]}}
- {apiVersion: slipway.dev/v1alpha1, kind: Gang, metadata: {name: used-before, namespace: default}, spec: {project: a, podSets: [{name: w, count: 1, requests: {x/fpga: "1"}}]}}
- {apiVersion: slipway.dev/v1alpha1, kind: Gang, metadata: {name: used-nothing, namespace: default}, spec: {project: b, podSets: [{name: w, count: 1, requests: {x/fpga: "1"}}]}}
- {apiVersion: slipway.dev/v1alpha1, kind: Gang, metadata: {name: waits, namespace: default}, spec: {maxRunTime: 1h, podSets: [{name: w, count: 2, requests: {x/gpu: "6"}}]}}
`

// TestDecidesAsTheScheduler: at the first moment a simulation decides what a scheduler
// decides that starts then.
func TestDecidesAsTheScheduler(t *testing.T) {
	s, err := snapshot.Read(strings.NewReader(cluster))
	if err != nil {
		t.Fatal(err)
	}
	c := New(s, 0)
	result, err := c.Simulate(t.Context(), simulate.Slipway, c.Now())
	if err != nil {
		t.Fatal(err)
	}
	type answer struct {
		State     placement.State
		Placement []placement.SetPlacement
	}
	live, simulated := map[string]answer{}, map[string]answer{}
	decided := scheduler.Decide(s)
	for _, g := range s.Gangs {
		a, _ := decided.Answer(types.NamespacedName{Namespace: g.Namespace, Name: g.Name})
		live[g.Namespace+"/"+g.Name] = answer{a.State, a.Placement}
	}
	for _, o := range result.Jobs {
		a := answer{State: placement.Waiting}
		switch {
		case o.Never:
			a.State = placement.Never
		case o.Running:
			a = answer{placement.Placed, o.Placement}
		}
		simulated[o.Gang] = a
	}
	if diff := cmp.Diff(live, simulated); diff != "" {
		t.Errorf("(-scheduler +simulation):\n%s", diff)
	}
	if live["default/used-nothing"].State != placement.Placed {
		t.Error("what was used in the past decides nothing")
	}
	states := map[placement.State]int{}
	for _, a := range live {
		states[a.State]++
	}
	if states[placement.Placed] == 0 || states[placement.Waiting] == 0 || states[placement.Never] == 0 {
		t.Errorf("the cluster shows too little: %v", states)
	}
}

// TestDividesAsTheScheduler: where a gang that would rather be in one rack does not fit any,
// a block that holds it all comes before the largest rack, in a simulation, too.
func TestDividesAsTheScheduler(t *testing.T) {
	var text strings.Builder
	text.WriteString("apiVersion: v1\nkind: List\nitems:\n")
	for i, place := range []string{"a/1", "a/1", "a/1", "b/2", "b/2", "b/3", "b/3"} {
		block, rack, _ := strings.Cut(place, "/")
		fmt.Fprintf(&text, "- {apiVersion: v1, kind: Node, metadata: {name: node-%d, labels: {site/block: %q, site/rack: %q}}, status: {allocatable: {x/gpu: \"8\", pods: \"9\"}, conditions: [{type: Ready, status: \"True\"}]}}\n", i, block, rack)
	}
	for _, g := range []struct{ name, label, pods string }{{"racks", "site/rack", "4"}, {"blocks", "site/block", "1"}} {
		fmt.Fprintf(&text, "- {apiVersion: slipway.dev/v1alpha1, kind: Gang, metadata: {name: %s, namespace: team}, spec: {priority: %s, podSets: [{name: w, count: %s, requests: {x/gpu: \"8\"}, topology: {preferred: %s}}]}}\n", g.name, g.pods, g.pods, g.label)
	}
	s, err := snapshot.Read(strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	result, err := New(s, 0).Simulate(t.Context(), simulate.Slipway, s.Taken.Unix())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range result.Jobs {
		live, _ := scheduler.Decide(s).Answer(types.NamespacedName{Namespace: "team", Name: strings.TrimPrefix(o.Gang, "team/")})
		if diff := cmp.Diff(live.Placement, o.Placement); diff != "" || live.State != placement.Placed {
			t.Errorf("%s is %v (-scheduler +simulation):\n%s", o.Gang, live.State, diff)
		}
	}
}

// TestLeavesOutWhatIsWrong: and simulates the rest.
func TestLeavesOutWhatIsWrong(t *testing.T) {
	s, err := snapshot.Read(strings.NewReader(cluster + `
- {apiVersion: slipway.dev/v1alpha1, kind: Project, metadata: {name: here}, spec: {parent: there}}
- {apiVersion: slipway.dev/v1alpha1, kind: Project, metadata: {name: there}, spec: {parent: here}}
- {apiVersion: slipway.dev/v1alpha1, kind: Gang, metadata: {name: back, namespace: team}, spec: {maxRunTime: -1h, podSets: [{name: w, count: 1}]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	c := New(s, 0)
	want := []string{
		"project there is left out: its parents form a cycle, there → here → there; give one of them another parent",
		"gang team/back is left out: spec.maxRunTime is -3600 seconds, and no gang ends before it starts; use a duration above zero, or leave it out",
	}
	if diff := cmp.Diff(want, c.Warnings()); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	if result, err := c.Simulate(t.Context(), simulate.Slipway, c.Now()); err != nil || len(result.Jobs) == 0 {
		t.Errorf("simulated %+v: %v", result, err)
	}
}
