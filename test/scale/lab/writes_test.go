// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const metrics = `# TYPE apiserver_request_total counter
apiserver_request_total{code="201",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="POST",version="v1"} 4000
apiserver_request_total{code="409",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="POST",version="v1"} 3
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="GET",version="v1"} 9
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="status",verb="PATCH",version="v1"} 1e+03
apiserver_request_total{code="200",component="apiserver",dry_run="",group="coordination.k8s.io",resource="leases",scope="resource",subresource="",verb="PUT",version="v1"} 7
apiserver_request_terminations_total{code="504",resource="pods",subresource="",verb="POST"} 1
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="DELETE",version="v1"} 2
process_cpu_seconds_total 1.25
`

func TestParseWrites(t *testing.T) {
	got, err := parseWrites(metrics)
	if err != nil {
		t.Fatal(err)
	}
	want := Writes{"pods": 4002, "pods/status": 1000}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	if got, want := got.Total(), 5002; got != want {
		t.Errorf("total = %d, want %d", got, want)
	}
	later := Writes{"pods": 4002, "pods/status": 1500, "events": 500}
	since := later.Since(got)
	if diff := cmp.Diff(Writes{"pods/status": 500, "events": 500}, since); diff != "" {
		t.Errorf("since (-want +got):\n%s", diff)
	}
	if got, want := (Writes{"pods": 10, "events": 5}).Per(10), "pods 1.00, events 0.50"; got != want {
		t.Errorf("per pod %q, want %q", got, want)
	}
}

func TestParseProcessor(t *testing.T) {
	if got, err := parseProcessor(metrics); err != nil || got != 1250*time.Millisecond {
		t.Errorf("processor time %s, %v", got, err)
	}
	if _, err := parseProcessor("# nothing"); err == nil {
		t.Error("is read from nothing")
	}
}
