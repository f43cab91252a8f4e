// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// TestTurnOf: a restart of the scheduler does not forget since when a gang runs, or waits
// after it had to give way.
func TestTurnOf(t *testing.T) {
	at := metav1.NewTime(time.Unix(1000, 0))
	for status, want := range map[metav1.ConditionStatus][2]int64{
		metav1.ConditionTrue: {1000, 0}, metav1.ConditionFalse: {0, 1000}, "": {},
	} {
		var s slipwayv1.GangStatus
		if status != "" {
			s.Conditions = []metav1.Condition{{Type: slipwayv1.ConditionPlaced, Status: status, LastTransitionTime: at}}
		}
		if started, stopped := turnOf(&s); started != want[0] || stopped != want[1] {
			t.Errorf("placed %q: started %d, stopped %d, want %v", status, started, stopped, want)
		}
	}
}
