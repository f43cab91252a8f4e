// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestCounted: what was told to end runs no more, and has its node yet.
func TestCounted(t *testing.T) {
	pod := func(node string, phase corev1.PodPhase, ends bool) corev1.Pod {
		p := corev1.Pod{Spec: corev1.PodSpec{NodeName: node}, Status: corev1.PodStatus{Phase: phase}}
		if ends {
			p.DeletionTimestamp = &metav1.Time{}
		}
		return p
	}
	pods := []corev1.Pod{pod("n1", corev1.PodRunning, false), pod("n1", corev1.PodPending, false), pod("", corev1.PodPending, false)}
	if got, want := counted(pods, 0), "1 of 3 pods running, 1 starting, 1 waiting for a node; on n1 (2 pods)"; got != want {
		t.Errorf("says %q, want %q", got, want)
	}
	pods = append(pods, pod("n2", corev1.PodRunning, true))
	if got, want := counted(pods, 0), "1 of 3 pods running, 1 starting, 1 waiting for a node, 1 more ending; on n1 (2 pods), n2 (1 pod)"; got != want {
		t.Errorf("says %q, want %q", got, want)
	}
	if got, want := counted(pods, 1), "0 of 3 pods running, 1 starting, 1 waiting for a node, 1 unknown, 1 more ending; on n1 (2 pods), n2 (1 pod)"; got != want {
		t.Errorf("of a silent node says %q, want %q", got, want)
	}
}
