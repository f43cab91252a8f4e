// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

func TestTopology(t *testing.T) {
	for _, c := range []struct {
		name        string
		annotations map[string]string
		want        *slipwayv1.Topology
		spread      bool
		problem     string
	}{
		{name: "none"},
		{name: "both", annotations: map[string]string{AnnotationRequiredTopology: "block", AnnotationPreferredTopology: "rack"},
			want: &slipwayv1.Topology{Required: "block", Preferred: "rack"}},
		{name: "slices", annotations: map[string]string{AnnotationSliceTopology: "rack", AnnotationSliceSize: "4"},
			want: &slipwayv1.Topology{Slice: &slipwayv1.TopologySlice{Label: "rack", Size: 4}}},
		{name: "no size", annotations: map[string]string{AnnotationSliceTopology: "rack"}, problem: "say how many pods"},
		{name: "no label", annotations: map[string]string{AnnotationSliceSize: "4"}, problem: "name a node label"},
		{name: "no number", annotations: map[string]string{AnnotationSliceTopology: "rack", AnnotationSliceSize: "-4"}, problem: `"-4" is no number of pods`},
		{name: "spread", annotations: map[string]string{slipwayv1.AnnotationSpread: "true"}, spread: true},
		{name: "spread what", annotations: map[string]string{slipwayv1.AnnotationSpread: "yes"}, problem: "use true or false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := Of("worker", 1, &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Annotations: c.annotations}}, nil)
			if diff := cmp.Diff(c.want, set.Topology); diff != "" || set.Spread != c.spread {
				t.Errorf("spread is %t; topology (-want +got):\n%s", set.Spread, diff)
			}
			problems := strings.Join(Problems("annotations", c.annotations), "; ")
			if (c.problem == "") != (problems == "") || !strings.Contains(problems, c.problem) {
				t.Errorf("problems %q, want one with %q", problems, c.problem)
			}
		})
	}
}
