// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Claimed by a pod is what the template says that its claim names, which is nil for none; or
// what is wrong with that, to be said after the field of the claim.
func Claimed(claim *corev1.PodResourceClaim, template *resourcev1.ResourceClaimTemplate) ([]slipwayv1.DeviceRequest, string) {
	name := ptr.Deref(claim.ResourceClaimTemplateName, "")
	switch {
	case name == "":
		return nil, ".resourceClaimName: a claim by name is one for all pods, which is not counted; name a ResourceClaimTemplate in resourceClaimTemplateName, so that each pod gets its own"
	case template == nil:
		return nil, fmt.Sprintf(".resourceClaimTemplateName: there is no ResourceClaimTemplate %s; make it or name another", name)
	}
	requests, problem := Counted(&template.Spec.Spec.Devices)
	if problem != "" {
		problem = fmt.Sprintf(": ResourceClaimTemplate %s: spec.spec.devices.%s", name, problem)
	}
	return requests, problem
}

// ClaimName is that of a claim of a pod, be it that it was made for the pod; empty when it was not yet.
func ClaimName(p *corev1.Pod, of *corev1.PodResourceClaim) string {
	if of.ResourceClaimName != nil {
		return *of.ResourceClaimName
	}
	for _, s := range p.Status.ResourceClaimStatuses {
		if s.Name == of.Name {
			return ptr.Deref(s.ResourceClaimName, "")
		}
	}
	return ""
}

// Asked by a claim that is there: what it has or, as long as it has nothing, what it requests; or
// what is wrong with that, to be said after the field that names it.
func Asked(claim *resourcev1.ResourceClaim) ([]slipwayv1.DeviceRequest, string) {
	if claim.Status.Allocation != nil {
		return allocated(claim), ""
	}
	requests, problem := Counted(&claim.Spec.Devices)
	if problem != "" {
		problem = fmt.Sprintf(": ResourceClaim %s: spec.devices.%s", claim.Name, problem)
	}
	return requests, problem
}

// allocated to a claim are so many devices of the class of each of its requests, be it of one of
// several alternatives.
func allocated(claim *resourcev1.ResourceClaim) []slipwayv1.DeviceRequest {
	var has []slipwayv1.DeviceRequest
	at := map[string]int{}
	for _, r := range claim.Status.Allocation.Devices.Results {
		if ptr.Deref(r.AdminAccess, false) {
			continue
		}
		if i, is := at[r.Request]; is {
			has[i].Count++
			continue
		}
		if one, is := requested(&claim.Spec.Devices, r.Request); is {
			one.Count = 1
			at[r.Request] = len(has)
			has = append(has, one)
		}
	}
	return has
}

// requested in a claim under a name, or under a name and that of an alternative.
func requested(claim *resourcev1.DeviceClaim, name string) (slipwayv1.DeviceRequest, bool) {
	name, alternative, _ := strings.Cut(name, "/")
	for i := range claim.Requests {
		r := &claim.Requests[i]
		switch {
		case r.Name != name:
		case r.Exactly != nil:
			return requestOf(r.Exactly.DeviceClassName, r.Exactly.Count, r.Exactly.Selectors), true
		default:
			for _, s := range r.FirstAvailable {
				if s.Name == alternative {
					return requestOf(s.DeviceClassName, s.Count, s.Selectors), true
				}
			}
		}
	}
	return slipwayv1.DeviceRequest{}, false
}

func requestOf(class string, count int64, selectors []resourcev1.DeviceSelector) slipwayv1.DeviceRequest {
	out := slipwayv1.DeviceRequest{DeviceClass: class, Count: max(count, 1)}
	for _, s := range selectors {
		if s.CEL != nil {
			out.Selectors = append(out.Selectors, s.CEL.Expression)
		}
	}
	return out
}

// Counted requests of a claim, or what in it cannot be counted: the field, the cause, and what
// to write instead.
func Counted(claim *resourcev1.DeviceClaim) ([]slipwayv1.DeviceRequest, string) {
	var requests []slipwayv1.DeviceRequest
	for i := range claim.Requests {
		r := &claim.Requests[i]
		if problem := uncounted(r); problem != "" {
			return nil, fmt.Sprintf("requests[%d].%s", i, problem)
		}
		requests = append(requests, requestOf(r.Exactly.DeviceClassName, r.Exactly.Count, r.Exactly.Selectors))
	}
	for i := range claim.Constraints {
		if constrained(claim, &claim.Constraints[i]) > 1 {
			return nil, fmt.Sprintf("constraints[%d]: which devices go together is not counted; leave it out, or select by an attribute in the request", i)
		}
	}
	return requests, ""
}

// uncounted is what in a request more than a number of devices of a class is said by.
func uncounted(r *resourcev1.DeviceRequest) string {
	switch e := r.Exactly; {
	case e == nil:
		return "firstAvailable: alternatives are not counted; write the one that will do in exactly"
	case e.AllocationMode == resourcev1.DeviceAllocationModeAll:
		return "exactly.allocationMode: how many All is differs from node to node; use ExactCount"
	case ptr.Deref(e.AdminAccess, false):
		return "exactly.adminAccess: gives devices that others have, which no queue can count; use a pod of no queue"
	case len(e.Tolerations) > 0:
		return "exactly.tolerations: devices with taints are not counted; leave it out"
	case e.Capacity != nil:
		return "exactly.capacity: parts of devices are not counted; leave it out, or select by capacity in selectors"
	case len(e.DerivedAttributes) > 0:
		return "exactly.derivedAttributes: are not followed; select by attributes that devices have"
	}
	return ""
}

// constrained is how many devices a constraint is about.
func constrained(claim *resourcev1.DeviceClaim, c *resourcev1.DeviceConstraint) int64 {
	devices := int64(0)
	for i := range claim.Requests {
		if r := &claim.Requests[i]; len(c.Requests) == 0 || slices.Contains(c.Requests, r.Name) {
			devices += max(r.Exactly.Count, 1)
		}
	}
	return devices
}
