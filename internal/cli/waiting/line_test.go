// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package waiting

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// TestSince: who gave way waits since then, and not since it was made.
func TestSince(t *testing.T) {
	made := time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		conditions []metav1.Condition
		want       time.Duration
	}{
		"not decided": {nil, 0},
		"gave way":    {[]metav1.Condition{{Type: slipwayv1.ConditionPlaced, Status: metav1.ConditionFalse, LastTransitionTime: metav1.NewTime(made.Add(time.Hour))}}, time.Hour},
	} {
		g := slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(made)}, Status: slipwayv1.GangStatus{Conditions: tt.conditions}}
		if got := Gangs([]slipwayv1.Gang{g}, nil)[0].Since.Sub(made); got != tt.want {
			t.Errorf("%s: it waits since %v after it was made, want %v", name, got, tt.want)
		}
	}
}
