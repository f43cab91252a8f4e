// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package whatif

import (
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
