// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	resourcev1 "k8s.io/api/resource/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Devices are what dynamic resource allocation hands out, where a cluster does that.
type Devices struct {
	DeviceClasses  []*resourcev1.DeviceClass
	ResourceSlices []*resourcev1.ResourceSlice
	ResourceClaims []*resourcev1.ResourceClaim
	// ResourceClaimTemplates that pods name.
	ResourceClaimTemplates []*resourcev1.ResourceClaimTemplate
}

func (d *Devices) objects(yield func(client.Object) bool) bool {
	return each(d.DeviceClasses, yield) && each(d.ResourceSlices, yield) && each(d.ResourceClaims, yield) &&
		each(d.ResourceClaimTemplates, yield)
}

func (d *Devices) add(o client.Object) {
	switch o := o.(type) {
	case *resourcev1.DeviceClass:
		d.DeviceClasses = append(d.DeviceClasses, o)
	case *resourcev1.ResourceSlice:
		d.ResourceSlices = append(d.ResourceSlices, o)
	case *resourcev1.ResourceClaim:
		d.ResourceClaims = append(d.ResourceClaims, o)
	case *resourcev1.ResourceClaimTemplate:
		d.ResourceClaimTemplates = append(d.ResourceClaimTemplates, o)
	}
}

func (d *Devices) sort() {
	sortByName(d.DeviceClasses)
	sortByName(d.ResourceSlices)
	sortByName(d.ResourceClaims)
	sortByName(d.ResourceClaimTemplates)
}

// trimDevices takes out how drivers are to set devices up, which may be somebody's secret.
func trimDevices(o client.Object) client.Object {
	version := resourcev1.SchemeGroupVersion.String()
	switch o := o.(type) {
	case *resourcev1.DeviceClass:
		return &resourcev1.DeviceClass{TypeMeta: typeMeta(version, "DeviceClass"), ObjectMeta: trimMeta(&o.ObjectMeta),
			Spec: resourcev1.DeviceClassSpec{Selectors: o.Spec.Selectors}}
	case *resourcev1.ResourceSlice:
		return trimSlice(Unpack(o))
	case *resourcev1.ResourceClaim:
		out := &resourcev1.ResourceClaim{TypeMeta: typeMeta(version, "ResourceClaim"), ObjectMeta: trimMeta(&o.ObjectMeta),
			Status: resourcev1.ResourceClaimStatus{ReservedFor: o.Status.ReservedFor}}
		out.Spec.Devices = trimRequests(&o.Spec.Devices)
		if a := o.Status.Allocation; a != nil {
			out.Status.Allocation = &resourcev1.AllocationResult{
				Devices: resourcev1.DeviceAllocationResult{Results: a.Devices.Results}, NodeSelector: a.NodeSelector}
		}
		return out
	case *resourcev1.ResourceClaimTemplate:
		out := &resourcev1.ResourceClaimTemplate{TypeMeta: typeMeta(version, "ResourceClaimTemplate"), ObjectMeta: trimMeta(&o.ObjectMeta)}
		out.Spec.Spec.Devices = trimRequests(&o.Spec.Spec.Devices)
		return out
	}
	return o
}

func trimRequests(c *resourcev1.DeviceClaim) resourcev1.DeviceClaim {
	return resourcev1.DeviceClaim{Requests: c.Requests, Constraints: c.Constraints}
}

func trimSlice(s *resourcev1.ResourceSlice) *resourcev1.ResourceSlice {
	return &resourcev1.ResourceSlice{TypeMeta: typeMeta(resourcev1.SchemeGroupVersion.String(), "ResourceSlice"),
		ObjectMeta: trimMeta(&s.ObjectMeta), Spec: s.Spec}
}
