// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

func TestCounted(t *testing.T) {
	exactly := func(change ...func(*resourcev1.ExactDeviceRequest)) []resourcev1.DeviceRequest {
		r := resourcev1.DeviceRequest{Name: "r", Exactly: &resourcev1.ExactDeviceRequest{DeviceClassName: "gpu", AllocationMode: resourcev1.DeviceAllocationModeExactCount, Count: 1}}
		for _, f := range change {
			f(r.Exactly)
		}
		return []resourcev1.DeviceRequest{r}
	}
	one := []slipwayv1.DeviceRequest{{DeviceClass: "gpu", Count: 1}}
	same := []resourcev1.DeviceConstraint{{MatchAttribute: ptr.To(resourcev1.FullyQualifiedName("a.com/root"))}}
	for name, c := range map[string]struct {
		claim   resourcev1.DeviceClaim
		want    []slipwayv1.DeviceRequest
		problem string
	}{
		"nothing":     {},
		"one":         {claim: resourcev1.DeviceClaim{Requests: exactly()}, want: one},
		"no defaults": {claim: resourcev1.DeviceClaim{Requests: []resourcev1.DeviceRequest{{Exactly: &resourcev1.ExactDeviceRequest{DeviceClassName: "gpu"}}}}, want: one},
		"several, selected": {
			claim: resourcev1.DeviceClaim{Requests: append(exactly(), exactly(func(e *resourcev1.ExactDeviceRequest) {
				e.Count, e.Selectors = 3, []resourcev1.DeviceSelector{{CEL: &resourcev1.CELDeviceSelector{Expression: "true"}}}
			})...)},
			want: append(one, slipwayv1.DeviceRequest{DeviceClass: "gpu", Count: 3, Selectors: []string{"true"}})},
		"all": {claim: resourcev1.DeviceClaim{Requests: exactly(func(e *resourcev1.ExactDeviceRequest) { e.AllocationMode = resourcev1.DeviceAllocationModeAll })},
			problem: "requests[0].exactly.allocationMode: "},
		"alternatives": {claim: resourcev1.DeviceClaim{Requests: []resourcev1.DeviceRequest{{FirstAvailable: []resourcev1.DeviceSubRequest{{DeviceClassName: "gpu"}}}}},
			problem: "requests[0].firstAvailable: "},
		"of an administrator": {claim: resourcev1.DeviceClaim{Requests: exactly(func(e *resourcev1.ExactDeviceRequest) { e.AdminAccess = ptr.To(true) })},
			problem: "requests[0].exactly.adminAccess: "},
		"tolerated": {claim: resourcev1.DeviceClaim{Requests: append(exactly(), exactly(func(e *resourcev1.ExactDeviceRequest) { e.Tolerations = []resourcev1.DeviceToleration{{}} })...)},
			problem: "requests[1].exactly.tolerations: "},
		"parts": {claim: resourcev1.DeviceClaim{Requests: exactly(func(e *resourcev1.ExactDeviceRequest) { e.Capacity = &resourcev1.CapacityRequirements{} })},
			problem: "requests[0].exactly.capacity: "},
		"derived": {claim: resourcev1.DeviceClaim{Requests: exactly(func(e *resourcev1.ExactDeviceRequest) {
			e.DerivedAttributes = []resourcev1.DeviceDerivedAttribute{{Name: "a.com/x"}}
		})}, problem: "requests[0].exactly.derivedAttributes: "},
		"one alone goes together": {claim: resourcev1.DeviceClaim{Requests: exactly(), Constraints: same}, want: one},
		"two go together":         {claim: resourcev1.DeviceClaim{Requests: exactly(func(e *resourcev1.ExactDeviceRequest) { e.Count = 2 }), Constraints: same}, problem: "constraints[0]: "},
		"others go together": {claim: resourcev1.DeviceClaim{Requests: exactly(func(e *resourcev1.ExactDeviceRequest) { e.Count = 2 }),
			Constraints: []resourcev1.DeviceConstraint{{Requests: []string{"x"}, MatchAttribute: same[0].MatchAttribute}}},
			want: []slipwayv1.DeviceRequest{{DeviceClass: "gpu", Count: 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, problem := Counted(&c.claim)
			if diff := cmp.Diff(c.want, got); diff != "" || (problem == "") != (c.problem == "") || !strings.HasPrefix(problem, c.problem) {
				t.Errorf("problem %q, want %q; %s", problem, c.problem, diff)
			}
		})
	}
}

// TestAsked of a claim is what it has, once it has something.
func TestAsked(t *testing.T) {
	claim := &resourcev1.ResourceClaim{}
	claim.Name = "mine"
	claim.Spec.Devices.Requests = []resourcev1.DeviceRequest{
		{Name: "two", Exactly: &resourcev1.ExactDeviceRequest{DeviceClassName: "gpu", Count: 2,
			Selectors: []resourcev1.DeviceSelector{{CEL: &resourcev1.CELDeviceSelector{Expression: "true"}}}}},
		{Name: "either", FirstAvailable: []resourcev1.DeviceSubRequest{{Name: "a", DeviceClassName: "fast"}, {Name: "b", DeviceClassName: "slow"}}},
	}
	if _, problem := Asked(claim); !strings.HasPrefix(problem, ": ResourceClaim mine: spec.devices.requests[1].firstAvailable: ") {
		t.Errorf("before it has any: %q", problem)
	}
	claim.Status.Allocation = &resourcev1.AllocationResult{Devices: resourcev1.DeviceAllocationResult{Results: []resourcev1.DeviceRequestAllocationResult{
		{Request: "two"}, {Request: "either/b"}, {Request: "two"}, {Request: "two", AdminAccess: ptr.To(true)}, {Request: "unknown"}}}}
	want := []slipwayv1.DeviceRequest{{DeviceClass: "gpu", Count: 2, Selectors: []string{"true"}}, {DeviceClass: "slow", Count: 1}}
	got, problem := Asked(claim)
	if diff := cmp.Diff(want, got); diff != "" || problem != "" {
		t.Errorf("problem %q; %s", problem, diff)
	}
}
