// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"testing"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// TestGivingWayIsNoSuccess holds that a job whose programs end in good order when
// their pods are deleted goes on later, and is not taken for done.
func TestGivingWayIsNoSuccess(t *testing.T) {
	w := started(t, newJob(1, 1), "n1")
	w.runAll()
	w.settle()
	for _, pod := range w.pods {
		pod.DeletionTimestamp = ptr.To(metav1.NewTime(w.now.Add(30 * time.Second)))
		pod.DeletionGracePeriodSeconds = ptr.To[int64](30)
		pod.Status.Phase = corev1.PodSucceeded
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "pytorch", State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.NewTime(w.now.Add(time.Second))}}}}
	}
	w.settle()
	if has(&w.job.Status, kubeflowv1.JobSucceeded) {
		t.Errorf("the job is taken for done: %+v", w.job.Status.Conditions)
	}
}
