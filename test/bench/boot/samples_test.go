// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway.dev/slipway/internal/embedded/control"
)

func TestAddCountsFromTheCommand(t *testing.T) {
	began := time.Unix(100, 0)
	status := &control.Status{Started: began.Add(500 * time.Millisecond), Phases: []control.Phase{
		{Name: "server", Begin: time.Second, Took: 2 * time.Second, Done: true},
		{Name: "platform", Begin: 3 * time.Second},
	}}
	var s samples
	s.add(status, began)
	s.add(status, began.Add(time.Second))
	want := []phase{{"server", []float64{2, 2}, []float64{3.5, 2.5}}}
	if diff := cmp.Diff(want, s.phases, cmp.AllowUnexported(phase{})); diff != "" {
		t.Errorf("phases (-want +got):\n%s", diff)
	}
}
