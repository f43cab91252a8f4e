// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package whatif

import (
	"fmt"
	"strings"
	"testing"

	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler/snapshot"
	"slipway.dev/slipway/internal/simulate"
)

// TestTraceOfUnknownProjects: jobs that could never start are not counted, but told by the
// names of their projects.
func TestTraceOfUnknownProjects(t *testing.T) {
	s, err := snapshot.Read(strings.NewReader(cluster + `
- {apiVersion: slipway.dev/v1alpha1, kind: Project, metadata: {name: here}, spec: {parent: there}}
- {apiVersion: slipway.dev/v1alpha1, kind: Project, metadata: {name: there}, spec: {parent: here}}
`))
	if err != nil {
		t.Fatal(err)
	}
	c := New(s, 0)
	for _, tt := range []struct{ projects, want string }{
		{"speech  a", ""},
		{"speech vision", "the cluster has no such projects: vision (1 job); name some that it has, as slipway queue shows them, or leave the column project empty"},
		{"p7 p1 p1 p2 p3 p4 p5 p6", "p1 (2 jobs), p2 (1 job), p3 (1 job), p4 (1 job), p5 (1 job), 2 more; "},
		{"there", "project there, of which it has 1 job, cannot be used: its parents form a cycle"},
	} {
		var jobs []simulate.Job
		for i, project := range strings.Split(tt.projects, " ") {
			jobs = append(jobs, simulate.Job{RunTime: 1, Gang: placement.Gang{Key: fmt.Sprint(i), Queue: project, Sets: []placement.PodSet{{Name: "w", Count: 1}}}})
		}
		_, err := c.Trace(jobs)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.projects, err, tt.want)
		}
	}
}
