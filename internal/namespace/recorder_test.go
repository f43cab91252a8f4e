// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package namespace

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

// TestRecorder sends what is about anything but an object in a namespace that ends.
func TestRecorder(t *testing.T) {
	stays := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "stays"}}
	ends := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ends", Finalizers: []string{"test/stays"}, DeletionTimestamp: ptr.To(metav1.Now())}}
	told := events.NewFakeRecorder(8)
	recorder := Recorder(told, fake.NewClientBuilder().WithObjects(stays, ends).Build())
	for namespace, want := range map[string]int{"stays": 1, "ends": 0, "unknown": 1, "": 1} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: namespace}}
		recorder.Eventf(pod, nil, corev1.EventTypeNormal, "Reason", "Act", "%s", "note")
		if len(told.Events) != want {
			t.Errorf("in namespace %q: %d events, want %d", namespace, len(told.Events), want)
		}
		for len(told.Events) > 0 {
			<-told.Events
		}
	}
}
