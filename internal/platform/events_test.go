// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/recorder"
)

// recorded is a manager of which nothing but the recorder is used.
type recorded struct {
	ctrl.Manager
	told *events.FakeRecorder
}

func (r recorded) GetEventRecorder(string) recorder.EventRecorder { return r.told }

func TestEventsAreRationed(t *testing.T) {
	told := events.NewFakeRecorder(10 * eventBurst)
	mgr := newFrugal(recorded{told: told})
	one, other := mgr.GetEventRecorder("one"), mgr.GetEventRecorder("other")
	for range 4 * eventBurst {
		one.Eventf(&corev1.Pod{}, nil, corev1.EventTypeNormal, "Placed", "Place", "%d pods", 1)
		other.Eventf(&corev1.Pod{}, nil, corev1.EventTypeNormal, "Placed", "Place", "%d pods", 1)
	}
	sent := len(told.Events)
	if sent < eventBurst || sent >= 4*eventBurst {
		t.Errorf("%d events of %d were sent, want %d and few more", sent, 8*eventBurst, eventBurst)
	}
	one.Eventf(&corev1.Pod{}, nil, corev1.EventTypeWarning, "NodeLost", "Place", "node %s", "a")
	if got := len(told.Events); got != sent+1 {
		t.Error("a warning was left out because of events that are none")
	}
}
