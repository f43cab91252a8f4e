// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"maps"

	resourcev1 "k8s.io/api/resource/v1"
)

// annotationPacked of a slice in a cache holds its devices as they are sent. Nobody else
// sees it.
const annotationPacked = "slipway.dev/packed-devices"

// Pack a slice for a cache: trimmed, and its devices encoded, which takes a tenth of the
// memory. Who wants to see them calls [Unpack].
func Pack(s *resourcev1.ResourceSlice) *resourcev1.ResourceSlice {
	out := trimSlice(s)
	packed, err := (&resourcev1.ResourceSliceSpec{Devices: s.Spec.Devices}).Marshal()
	if err != nil {
		return out // It came decoded, so that it can be encoded; unpacked it is right, too.
	}
	out.Annotations = maps.Clone(out.Annotations)
	if out.Annotations == nil {
		out.Annotations = map[string]string{}
	}
	out.Annotations[annotationPacked] = string(packed)
	out.Spec.Devices = nil
	return out
}

// Unpack a slice, if it is packed.
func Unpack(s *resourcev1.ResourceSlice) *resourcev1.ResourceSlice {
	packed, is := s.Annotations[annotationPacked]
	if !is {
		return s
	}
	var devices resourcev1.ResourceSliceSpec
	if err := devices.Unmarshal([]byte(packed)); err != nil {
		return s // somebody's own annotation
	}
	out := *s
	out.Annotations = maps.Clone(s.Annotations)
	delete(out.Annotations, annotationPacked)
	out.Spec.Devices = devices.Devices
	return &out
}
