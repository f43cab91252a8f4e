// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"slipway.dev/slipway/test/scale/fakenode"
)

func TestGrowthOf(t *testing.T) {
	for _, c := range []struct {
		name  string
		costs []float64
		want  float64
	}{
		{"one size", []float64{3}, 1},
		{"falls", []float64{4, 3, 2}, 1},
		{"grows", []float64{2, 3, 8}, 4},
		{"grows after it fell", []float64{5, 2, 3}, 1.5},
	} {
		if got := growthOf(c.costs); got != c.want {
			t.Errorf("%s: growthOf = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestMedianOf(t *testing.T) {
	runs := 0
	got, err := medianOf(t.Context(), func() (time.Duration, error) {
		runs++
		return time.Duration(runs), nil
	})
	// The first warms up.
	if want := time.Duration(1 + (decideRuns+1)/2); err != nil || got != want {
		t.Errorf("medianOf = %d, %v, want %d", got, err, want)
	}
}

func TestToFull(t *testing.T) {
	const nodes = 40
	p := picture(nodes)
	if _, err := toFull(p, nodes*fakenode.GPUsPerNode); err != nil {
		t.Fatal(err)
	}
	if err := placedAtOnce(p, asked("one-more", 1<<20, 1, 1)); err == nil {
		t.Error("a full cluster takes one more")
	}
}

func TestCrowded(t *testing.T) {
	p, err := crowded(40, 30)
	if err != nil {
		t.Fatal(err)
	}
	const room = 40 * leftGPUs / arrivalPods
	if _, err := arrivals(p, room); err != nil {
		t.Error(err)
	}
	if _, err := departures(p, room); err != nil {
		t.Error(err)
	}
	if _, err := arrivals(p, room+1); err == nil {
		t.Error("more gangs find a place than there is room for")
	}
}
