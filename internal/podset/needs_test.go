// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

// TestWhoNeeds finds those of one namespace, or of all for what has none; a volume counts
// for its claim.
func TestWhoNeeds(t *testing.T) {
	job := func(namespace, name, claim string) *batchv1.Job {
		j := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		j.Spec.Template.Spec.PriorityClassName = "high"
		j.Spec.Template.Spec.Volumes = []corev1.Volume{{Name: "none"}, {Name: "data", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim}}}}
		return j
	}
	cached := fake.NewClientBuilder().WithScheme(clientgoscheme.Scheme).
		WithObjects(job("a", "one", "data"), job("a", "two", "other"), job("b", "three", "data")).
		WithIndex(&batchv1.Job{}, IndexNeeds, func(o client.Object) []string {
			spec := &o.(*batchv1.Job).Spec.Template.Spec
			return append(NeedClaims(spec), NeedClass(spec.PriorityClassName))
		}).Build()
	bound := &corev1.PersistentVolume{Spec: corev1.PersistentVolumeSpec{ClaimRef: &corev1.ObjectReference{Namespace: "b", Name: "data"}}}
	for _, c := range []struct {
		namespace, need string
		want            string
	}{
		{"a", NeedClaim("data"), "a/one "},
		{"a", NeedClaim("none"), ""},
		{"", NeedClass("high"), "a/one a/two b/three "},
		{"", "", ""},
	} {
		if got := found(t, cached, c.namespace, c.need); got != c.want {
			t.Errorf("%q in %q is needed by %q, want %q", c.need, c.namespace, got, c.want)
		}
	}
	namespace, need := needOfVolume(bound)
	if got := found(t, cached, namespace, need); got != "b/three " {
		t.Errorf("the volume is needed by %q", got)
	}
	if _, need := needOfVolume(&corev1.PersistentVolume{}); need != "" {
		t.Errorf("a volume of nobody's is %q", need)
	}
}

func found(t *testing.T, cached client.Reader, namespace, need string) string {
	t.Helper()
	text := ""
	for _, r := range whoNeeds(t.Context(), cached, &batchv1.JobList{}, namespace, need) {
		text += r.String() + " "
	}
	return text
}
