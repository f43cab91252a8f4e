// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package waiting

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

func deviceSpec(count int64) resourcev1.ResourceClaimSpec {
	return resourcev1.ResourceClaimSpec{Devices: resourcev1.DeviceClaim{Requests: []resourcev1.DeviceRequest{{
		Name: "gpu", Exactly: &resourcev1.ExactDeviceRequest{DeviceClassName: "gpu.example.com", AllocationMode: resourcev1.DeviceAllocationModeExactCount, Count: count}}}}}
}

func claiming(uid string, claim corev1.PodResourceClaim) *corev1.Pod {
	claim.Name = "gpu"
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: uid, UID: types.UID(uid)},
		Spec: corev1.PodSpec{ResourceClaims: []corev1.PodResourceClaim{claim}}}
}

// TestClaimed: what a pod claims is what its claim asks for, or as long as that is not made its
// template; a claim that two pods name counts for one of them.
func TestClaimed(t *testing.T) {
	byName := corev1.PodResourceClaim{ResourceClaimName: ptr.To("shared")}
	byTemplate := corev1.PodResourceClaim{ResourceClaimTemplateName: ptr.To("two")}
	made := claiming("made", byTemplate)
	made.Status.ResourceClaimStatuses = []corev1.PodResourceClaimStatus{{Name: "gpu", ResourceClaimName: ptr.To("made-gpu")}}
	type count struct {
		pod  *corev1.Pod
		want int64
	}
	for name, tt := range map[string]struct {
		reservedFor []types.UID
		counts      []count
	}{
		"of a template":        {nil, []count{{claiming("a", byTemplate), 2}, {claiming("b", byTemplate), 2}}},
		"made before a change": {nil, []count{{made, 1}}},
		"for none yet":         {nil, []count{{claiming("a", byName), 4}, {claiming("b", byName), 0}, {claiming("a", byName), 4}}},
		"reserved":             {[]types.UID{"b", "a"}, []count{{claiming("a", byName), 0}, {claiming("b", byName), 4}}},
		"not to be seen":       {nil, []count{{claiming("a", corev1.PodResourceClaim{ResourceClaimName: ptr.To("other")}), 0}}},
	} {
		shared := resourcev1.ResourceClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "shared"}, Spec: deviceSpec(4)}
		for _, uid := range tt.reservedFor {
			shared.Status.ReservedFor = append(shared.Status.ReservedFor, resourcev1.ResourceClaimConsumerReference{Resource: "pods", UID: uid})
		}
		claims := NewClaims(
			[]resourcev1.ResourceClaimTemplate{{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "two"}, Spec: resourcev1.ResourceClaimTemplateSpec{Spec: deviceSpec(2)}}},
			[]resourcev1.ResourceClaim{shared, {ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "made-gpu"}, Spec: deviceSpec(1)}})
		for i, c := range tt.counts {
			got := int64(0)
			for _, request := range claims.Claimed(c.pod) {
				got += request.Count
			}
			if got != c.want {
				t.Errorf("%s: pod %d claims %d devices, want %d", name, i, got, c.want)
			}
		}
	}
}
