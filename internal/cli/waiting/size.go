// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package waiting

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/podset"
)

// Size of what is asked for at once.
type Size struct {
	Pods int64 `json:"pods"`
	// Devices of each kind: extended resources, and classes of devices.
	Devices map[string]int64 `json:"devices,omitempty"`
	// Least is with what an elastic gang starts; nil for all.
	Least *Size `json:"least,omitempty"`
}

// SizeOf pod sets.
func SizeOf(sets []slipwayv1.PodSet) Size {
	whole, least := Size{}, Size{}
	for i := range sets {
		s := &sets[i]
		whole.Take(s, int64(s.Count))
		least.Take(s, int64(min(ptr.Deref(s.MinCount, s.Count), s.Count)))
	}
	if least.Pods < whole.Pods {
		whole.Least = &least
	}
	return whole
}

// Take so many pods of a set.
func (s *Size) Take(set *slipwayv1.PodSet, pods int64) {
	s.Pods += pods
	s.devices(set.Requests, pods)
	s.claimed(set.Devices, pods)
}

// Add a pod, with what it claims.
func (s *Size) Add(p *corev1.Pod, claimed []slipwayv1.DeviceRequest) {
	s.Pods++
	s.devices(podset.Requests(p.Spec.DeepCopy()), 1)
	s.claimed(claimed, 1)
}

func (s *Size) claimed(devices []slipwayv1.DeviceRequest, pods int64) {
	for _, d := range devices {
		s.device(resourcev1.ResourceDeviceClassPrefix+d.DeviceClass, d.Count*pods)
	}
}

func (s *Size) devices(requests corev1.ResourceList, pods int64) {
	for name, quantity := range requests {
		if placement.IsDevice(string(name)) {
			s.device(string(name), quantity.Value()*pods)
		}
	}
}

func (s *Size) device(name string, n int64) {
	if n == 0 {
		return
	}
	if s.Devices == nil {
		s.Devices = map[string]int64{}
	}
	s.Devices[name] += n
}

// String is "2 pods, 16 nvidia.com/gpu", and of an elastic gang "1-2 pods, 8-16 nvidia.com/gpu".
func (s Size) String() string {
	least := s
	if s.Least != nil {
		least = *s.Least
	}
	noun := "pods"
	if s.Pods == 1 {
		noun = "pod"
	}
	parts := []string{span(least.Pods, s.Pods) + " " + noun}
	for _, name := range slices.Sorted(maps.Keys(s.Devices)) {
		parts = append(parts, span(least.Devices[name], s.Devices[name])+" "+ResourceName(name))
	}
	return strings.Join(parts, ", ")
}

// ResourceName as people write it: of devices that are claimed the name of their class.
func ResourceName(name string) string {
	return strings.TrimPrefix(name, resourcev1.ResourceDeviceClassPrefix)
}

func span(least, most int64) string {
	if least == most {
		return fmt.Sprint(most)
	}
	return fmt.Sprintf("%d-%d", least, most)
}
