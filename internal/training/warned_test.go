// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// TestWarnedOfAnnotations: what a job says and nobody can follow it is told of, once.
func TestWarnedOfAnnotations(t *testing.T) {
	job := newJob(0, 1)
	metav1.SetMetaDataAnnotation(&job.ObjectMeta, slipwayv1.AnnotationMinRunTime, "36h")
	r, told, _ := endingReconciler(t, job)
	for _, want := range []bool{true, false} {
		if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(job)}); err != nil {
			t.Fatal(err)
		}
		said := strings.Join(kubetest.Told(told), "\n")
		if warned := strings.Contains(said, "Warning InvalidAnnotation metadata.annotations[slipway.dev/min-run-time]: 36h is more than a day"); warned != want {
			t.Errorf("warned: %t, want %t; said %q", warned, want, said)
		}
	}
}
