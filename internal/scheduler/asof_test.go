// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

// TestAsOf: the moment is that of the status and not of the words, which may be of another one.
func TestAsOf(t *testing.T) {
	a := &answer{verdict: placement.Verdict{State: placement.Waiting, Reason: &placement.Reason{Text: "none fits"}}, start: noon, when: ", when ns/a has ended (90 % sure)"}
	_, _, told := a.explain()
	at := func(when time.Time) *slipwayv1.StartPromise {
		return &slipwayv1.StartPromise{Time: metav1.NewTime(when)}
	}
	for _, c := range []struct {
		text    string
		promise *slipwayv1.StartPromise
		at      time.Time
		want    string
	}{
		{told, at(noon), noon.Add(-2 * time.Hour), "none fits; expected to start by " + noon.UTC().Format(time.RFC3339) + " (in 120m), when ns/a has ended (90 % sure)"},
		{told, at(noon), noon, "none fits; was expected to start by " + noon.UTC().Format(time.RFC3339) + " and is overdue, when ns/a has ended (90 % sure)"},
		{told, at(noon.Add(time.Hour)), noon, told},
		{told, nil, noon, told},
		{"none fits", at(noon), noon, "none fits"},
	} {
		if got := AsOf(c.text, c.promise, c.at); got != c.want {
			t.Errorf("of %q it says %q, want %q", c.text, got, c.want)
		}
	}
}
