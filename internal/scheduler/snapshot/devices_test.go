// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
)

func aSlice() *resourcev1.ResourceSlice {
	return &resourcev1.ResourceSlice{
		ObjectMeta: metav1.ObjectMeta{Name: "s", UID: "s", Annotations: map[string]string{"slipway.dev/note": "kept", "other": "not"},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "driver"}}},
		Spec: resourcev1.ResourceSliceSpec{Driver: "a.com", NodeName: ptr.To("n"), Pool: resourcev1.ResourcePool{Name: "p", ResourceSliceCount: 1},
			Devices: []resourcev1.Device{{Name: "0",
				Attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{"model": {StringValue: ptr.To("h100")}},
				Capacity:   map[resourcev1.QualifiedName]resourcev1.DeviceCapacity{"memory": {Value: resource.MustParse("80Gi")}},
				Taints:     []resourcev1.DeviceTaint{{Key: "k", Effect: resourcev1.DeviceTaintEffectNoExecute}}}}},
	}
}

// TestPackedSlices say the same as those that are not, and do not change what they are made of.
func TestPackedSlices(t *testing.T) {
	s := aSlice()
	packed := Pack(s)
	if len(packed.Spec.Devices) != 0 || packed.ManagedFields != nil || packed.Spec.Pool != s.Spec.Pool {
		t.Errorf("packed to %+v", packed)
	}
	if diff := cmp.Diff(aSlice(), s); diff != "" {
		t.Errorf("packing changed it: %s", diff)
	}
	if diff := cmp.Diff(trimSlice(s), Unpack(packed)); diff != "" {
		t.Errorf("unpacked: %s", diff)
	}
	if Unpack(s) != s {
		t.Error("what was not packed is not what it was")
	}
	if diff := cmp.Diff(Trim(s), Trim(packed)); diff != "" {
		t.Errorf("trimmed: %s", diff)
	}
}

// TestDevicesAreWritten as they were read, without what drivers are told, which may be
// somebody's secret.
func TestDevicesAreWritten(t *testing.T) {
	secret := resourcev1.DeviceConfiguration{Opaque: &resourcev1.OpaqueDeviceConfiguration{Driver: "a.com",
		Parameters: runtime.RawExtension{Raw: json.RawMessage(`{"token": "hidden"}`)}}}
	s := &Snapshot{Taken: time.Unix(7, 0).UTC()}
	s.Add(Pack(aSlice()))
	s.Add(&resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: "c", UID: "c"}, Spec: resourcev1.DeviceClassSpec{
		Selectors: []resourcev1.DeviceSelector{{CEL: &resourcev1.CELDeviceSelector{Expression: "true"}}},
		Config:    []resourcev1.DeviceClassConfiguration{{DeviceConfiguration: secret}}}})
	s.Add(&resourcev1.ResourceClaim{ObjectMeta: metav1.ObjectMeta{Name: "r", Namespace: "ns", UID: "r"},
		Spec: resourcev1.ResourceClaimSpec{Devices: resourcev1.DeviceClaim{Config: []resourcev1.DeviceClaimConfiguration{{DeviceConfiguration: secret}}}},
		Status: resourcev1.ResourceClaimStatus{
			Allocation: &resourcev1.AllocationResult{Devices: resourcev1.DeviceAllocationResult{
				Results: []resourcev1.DeviceRequestAllocationResult{{Driver: "a.com", Pool: "p", Device: "0"}},
				Config:  []resourcev1.DeviceAllocationConfiguration{{DeviceConfiguration: secret}}}},
			ReservedFor: []resourcev1.ResourceClaimConsumerReference{{Resource: "pods", Name: "p", UID: "p"}}}})
	var file bytes.Buffer
	if err := s.Write(&file); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(file.String(), "hidden") {
		t.Errorf("it tells a secret: %s", file.String())
	}
	read, err := Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	if len(read.ResourceSlices) != 1 || len(read.DeviceClasses) != 1 || len(read.ResourceClaims) != 1 {
		t.Fatalf("read %+v", read.Devices)
	}
	if diff := cmp.Diff(aSlice().Spec.Devices, read.ResourceSlices[0].Spec.Devices); diff != "" {
		t.Error(diff)
	}
	claim := read.ResourceClaims[0].Status
	if len(claim.ReservedFor) != 1 || len(claim.Allocation.Devices.Results) != 1 || len(read.DeviceClasses[0].Spec.Selectors) != 1 {
		t.Errorf("read %+v and %+v", claim, read.DeviceClasses[0].Spec)
	}
}
