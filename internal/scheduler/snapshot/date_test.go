// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"strings"
	"testing"
	"time"
)

// TestDate dates what has no date, and leaves alone what has.
func TestDate(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	gang := func(created, placed string) string {
		return `{"apiVersion": "slipway.dev/v1alpha1", "kind": "Gang", "metadata": {"name": "g"` + created +
			`}, "status": {"conditions": [{"type": "Placed", "status": "True"` + placed + `}]}}`
	}
	for _, c := range []struct{ text, taken, created, placed string }{
		{gang("", ""), "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"},
		{gang(`, "creationTimestamp": "2020-01-01T00:00:00Z"`, ""), "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"},
		{gang(`, "creationTimestamp": "2020-01-01T00:00:00Z"`, `, "lastTransitionTime": "2020-01-01T01:00:00Z"`),
			"2020-01-01T01:00:00Z", "2020-01-01T00:00:00Z", "2020-01-01T01:00:00Z"},
		{`{"kind": "List", "taken": "2021-01-01T00:00:00Z", "items": [` + gang("", "") + "]}",
			"2021-01-01T00:00:00Z", "2021-01-01T00:00:00Z", "2021-01-01T00:00:00Z"},
	} {
		s, err := Read(strings.NewReader(c.text))
		if err != nil {
			t.Fatal(err)
		}
		s.Date(now)
		g := s.Gangs[0]
		for what, got := range map[string][2]string{
			"taken":   {s.Taken.UTC().Format(time.RFC3339), c.taken},
			"created": {g.CreationTimestamp.UTC().Format(time.RFC3339), c.created},
			"placed":  {g.Status.Placed().LastTransitionTime.UTC().Format(time.RFC3339), c.placed},
		} {
			if got[0] != got[1] {
				t.Errorf("%s: %s %s, want %s", c.text, what, got[0], got[1])
			}
		}
	}
}
