// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

// TestPromiseOutlivesADeletedGang whose pods nobody has deleted yet: what is kept is given to nobody
// else. Pods that are still there long after stay, and so do those that no controller made.
func TestPromiseOutlivesADeletedGang(t *testing.T) {
	gone := noon.Add(10 * time.Minute)
	for name, tt := range map[string]struct {
		owned    bool
		after    time.Duration
		promised bool
	}{
		"at once":      {true, 0, true},
		"soon":         {true, collectedWithin - time.Second, true},
		"long after":   {true, collectedWithin, false},
		"made by hand": {false, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger()
			l.set(newNode("n1", 8, 4))
			runs := atMost(newGang("runs", 2, 1), time.Hour)
			l.set(runs)
			l.decide(noon)
			for rank := range 2 {
				l.set(madeFor(worker("runs", rank), tt.owned))
			}
			l.set(atMost(newGang("promised", 4, 1), time.Hour))
			l.decide(noon)
			l.plan()
			l.set(newGang("later", 2, 1))
			l.decide(noon)
			l.plan()
			if _, is := l.picture.PlannedStart("ns/promised"); !is {
				t.Fatal("nothing is promised while the gang runs")
			}
			l.remove(runs)
			l.decide(gone)
			l.plan()
			if next := l.nextMourn(); !next.Equal(gone.Add(collectedWithin)) {
				t.Errorf("it is looked again at %v", next)
			}
			l.decide(gone.Add(tt.after))
			l.plan()
			l.decide(gone.Add(tt.after))
			_, promised := l.picture.PlannedStart("ns/promised")
			later := l.gangs["ns/later"].answer.verdict.State == placement.Placed
			if promised != tt.promised || later == tt.promised {
				t.Errorf("it is promised a start: %t, and another gang is placed: %t; want %t and %t", promised, later, tt.promised, !tt.promised)
			}
		})
	}
}

// madeFor a gang by a controller, or by hand, and placed by Slipway.
func madeFor(p *corev1.Pod, owned bool) *corev1.Pod {
	p.Spec.SchedulerName = slipwayv1.SchedulerName
	if owned {
		is := true
		p.OwnerReferences = []metav1.OwnerReference{{Kind: "PyTorchJob", Name: "runs", UID: types.UID("job"), Controller: &is}}
	}
	return p
}
