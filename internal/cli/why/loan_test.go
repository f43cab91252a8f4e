// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// lending is a cluster in which the second node is kept for a gang that starts at one, and lent to
// another one until then.
func lending() *snapshot.Snapshot {
	large := told(gang("large", 2, 40), metav1.ConditionFalse, "NoRoom", "")
	large.Status.Promise = &slipwayv1.StartPromise{Time: metav1.NewTime(noon.Add(time.Hour)), Number: 1}
	small := limited(on(gang("small", 1, 30), "n2"), 5*time.Hour)
	small.Spec.LastCheckpoint = new(metav1.NewTime(noon.Add(-time.Hour)))
	small.Status.LentBy = []string{"team/large"}
	return &snapshot.Snapshot{Taken: noon, Nodes: []*corev1.Node{node("n2"), node("n1")},
		Gangs: []*slipwayv1.Gang{limited(on(gang("runs", 1, 90), "n1"), 2*time.Hour), large, small}}
}

// TestLoan: who is on places that are kept for another one, that one, and the node say so, and
// until when.
func TestLoan(t *testing.T) {
	expect(t, reportOn(t, "small", lending()),
		"gang/small",
		"  gang small has had its places for 60m (priority 0)",
		"    on n2 (1 pod)",
		"    ends by 2026-01-02T16:00:00Z (in 4h), its limit is 5h",
		"    on places that are kept for large: gives way as soon as that can start, by 2026-01-02T12:59:00Z (in 59m) at the latest",
		"    would give way to gangs of no project with a priority above 0, and to projects that are guaranteed what it uses",
	)
	for _, want := range []string{"    expected to start by 2026-01-02T13:00:00Z (in 60m)\n", "    its places are lent to small until then\n"} {
		if got := reportOn(t, "large", lending()); !strings.Contains(got, want) {
			t.Errorf("the lender does not say %q:\n%s", want, got)
		}
	}
	want := "    team/small: 1 pod, 8 nvidia.com/gpu, until 2026-01-02T12:59:00Z (in 59m) at the latest, or until team/large can start\n"
	if got := reportNode(t, lending()); !strings.Contains(got, want) {
		t.Errorf("the node does not say %q:\n%s", want, got)
	}
}

// TestLoanOfTheProtected: nobody is recalled while it is protected.
func TestLoanOfTheProtected(t *testing.T) {
	s := lending()
	s.Gangs[2].Spec.MinRunTime = &metav1.Duration{Duration: 3 * time.Hour}
	if got, want := reportOn(t, "small", s), "by 2026-01-02T14:00:00Z (in 120m) at the latest"; !strings.Contains(got, want) {
		t.Errorf("it does not say %q:\n%s", want, got)
	}
}

// TestEndOfLoan: who has its places for itself says nothing of others.
func TestEndOfLoan(t *testing.T) {
	s := lending()
	s.Gangs = append(s.Gangs[:1], s.Gangs[2])
	if got := reportOn(t, "small", s) + reportNode(t, s); strings.Contains(got, "large") || strings.Contains(got, "at the latest") {
		t.Errorf("nobody waits, and it says\n%s", got)
	}
}
