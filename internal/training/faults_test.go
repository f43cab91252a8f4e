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

// TestEndedWhenAsked holds that a pod which exits with 0 because it is deleted has
// not succeeded, and one that had succeeded before has.
func TestEndedWhenAsked(t *testing.T) {
	asked := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		deleted bool
		ended   time.Time
		want    state
	}{
		"not deleted":        {false, asked, done},
		"ended before":       {true, asked.Add(-time.Second), done},
		"ended within it":    {true, asked, leaving},
		"ended in its grace": {true, asked.Add(20 * time.Second), leaving},
	} {
		pod := &corev1.Pod{Status: corev1.PodStatus{
			Phase: corev1.PodSucceeded,
			ContainerStatuses: []corev1.ContainerStatus{{Name: "pytorch", State: corev1.ContainerState{
				Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.NewTime(c.ended)}}}},
		}}
		if c.deleted {
			pod.DeletionTimestamp = ptr.To(metav1.NewTime(asked.Add(30 * time.Second)))
			pod.DeletionGracePeriodSeconds = ptr.To[int64](30)
		}
		if got := stateOf(pod, kubeflowv1.RestartPolicyOnFailure, "pytorch"); got != c.want {
			t.Errorf("%s: state %d, want %d", name, got, c.want)
		}
		if c.deleted && c.want == leaving {
			// As the API server makes it when the kubelet deletes it for good, after it has ended.
			pod.DeletionTimestamp = ptr.To(metav1.NewTime(c.ended.Add(time.Second)))
			pod.DeletionGracePeriodSeconds = ptr.To[int64](0)
			if got := stateOf(pod, kubeflowv1.RestartPolicyOnFailure, "pytorch"); got != c.want {
				t.Errorf("%s, and the kubelet is done with it: state %d, want %d", name, got, c.want)
			}
		}
	}
}
