// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"fmt"
	"strconv"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Topology requests as users of Kueue write them on pod templates.
const (
	AnnotationRequiredTopology  = "kueue.x-k8s.io/podset-required-topology"
	AnnotationPreferredTopology = "kueue.x-k8s.io/podset-preferred-topology"
	AnnotationSliceTopology     = "kueue.x-k8s.io/podset-slice-required-topology"
	AnnotationSliceSize         = "kueue.x-k8s.io/podset-slice-size"
)

// topologyOf the annotations of a template; nil for none. What [Problems] names in them
// is left out.
func topologyOf(annotations map[string]string) *slipwayv1.Topology {
	t := slipwayv1.Topology{
		Required:  annotations[AnnotationRequiredTopology],
		Preferred: annotations[AnnotationPreferredTopology],
	}
	if label, size := annotations[AnnotationSliceTopology], sliceSize(annotations); label != "" && size > 0 {
		t.Slice = &slipwayv1.TopologySlice{Label: label, Size: size}
	}
	if t == (slipwayv1.Topology{}) {
		return nil
	}
	return &t
}

// sliceSize is zero where there is none that can be read.
func sliceSize(annotations map[string]string) int32 {
	size, err := strconv.ParseInt(annotations[AnnotationSliceSize], 10, 32)
	if err != nil {
		return 0
	}
	return int32(size)
}

// Problems of a template's annotations, a line each; path is where they are.
func Problems(path string, annotations map[string]string) []string {
	var problems []string
	size, sized := annotations[AnnotationSliceSize]
	label := annotations[AnnotationSliceTopology]
	switch {
	case sized && sliceSize(annotations) < 1:
		problems = append(problems, fmt.Sprintf("%s[%s]: %q is no number of pods; use one or more", path, AnnotationSliceSize, size))
	case sized && label == "":
		problems = append(problems, fmt.Sprintf("%s[%s]: there is no %s beside it; name a node label there", path, AnnotationSliceSize, AnnotationSliceTopology))
	case label != "" && !sized:
		problems = append(problems, fmt.Sprintf("%s[%s]: there is no %s beside it; say how many pods are to be together", path, AnnotationSliceTopology, AnnotationSliceSize))
	}
	if spread, is := annotations[slipwayv1.AnnotationSpread]; is && spread != "true" && spread != "false" {
		problems = append(problems, fmt.Sprintf("%s[%s]: is %q; use true or false", path, slipwayv1.AnnotationSpread, spread))
	}
	return problems
}
