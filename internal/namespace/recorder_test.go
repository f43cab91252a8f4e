// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package namespace

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"slipway.dev/slipway/internal/kubetest"
)

// TestRecorder sends what is about anything but an object in a namespace that ends.
func TestRecorder(t *testing.T) {
	stays := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "stays"}}
	told := events.NewFakeRecorder(8)
	recorder := Recorder(told, fake.NewClientBuilder().WithObjects(stays, kubetest.Ending("ends")).Build())
	for namespace, want := range map[string]int{"stays": 1, "ends": 0, "unknown": 1, "": 1} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: namespace}}
		recorder.Eventf(pod, nil, corev1.EventTypeNormal, "Reason", "Act", "%s", "note")
		if got := kubetest.Told(told); len(got) != want {
			t.Errorf("in namespace %q: %q, want %d events", namespace, got, want)
		}
	}
}
