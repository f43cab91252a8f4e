// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"
	"time"

	"slipway.dev/slipway/internal/placement"
)

func TestAsOf(t *testing.T) {
	a := &answer{verdict: placement.Verdict{State: placement.Waiting, Reason: &placement.Reason{Text: "none fits"}}, start: noon, when: ", when ns/a has ended (90 % sure)"}
	_, _, told := a.explain()
	for _, c := range []struct {
		text string
		at   time.Time
		want string
	}{
		{told, noon.Add(-2 * time.Hour), "none fits; expected to start by " + noon.UTC().Format(time.RFC3339) + " (in 120m), when ns/a has ended (90 % sure)"},
		{told, noon, "none fits; was expected to start by " + noon.UTC().Format(time.RFC3339) + " and is overdue, when ns/a has ended (90 % sure)"},
		{"none fits", noon, "none fits"},
		{"none fits; expected to start by tomorrow", noon, "none fits; expected to start by tomorrow"},
	} {
		if got := AsOf(c.text, c.at); got != c.want {
			t.Errorf("of %q it says %q, want %q", c.text, got, c.want)
		}
	}
}
