// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestFateOf(t *testing.T) {
	for _, c := range []struct {
		policy      corev1.RestartPolicy
		alone, made fate
	}{
		{corev1.RestartPolicyAlways, continues, continues},
		{corev1.RestartPolicyOnFailure, beginsAgain, isReplaced},
		{corev1.RestartPolicyNever, isReplaced, isReplaced},
	} {
		pod := &corev1.Pod{Spec: corev1.PodSpec{RestartPolicy: c.policy}}
		if got := fateOf(pod); got != c.alone {
			t.Errorf("%s, without an owner: %d, want %d", c.policy, got, c.alone)
		}
		pod.OwnerReferences = []metav1.OwnerReference{{Kind: "Job", Controller: ptr.To(true)}}
		if got := fateOf(pod); got != c.made {
			t.Errorf("%s, of a Job: %d, want %d", c.policy, got, c.made)
		}
	}
}
