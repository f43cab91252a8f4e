// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package devices

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/dynamic-resource-allocation/cel"
	"k8s.io/dynamic-resource-allocation/structured"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
	"slipway.dev/slipway/internal/scheduler"
)

const (
	driver = "gpu.example.com"
	node   = "n"
)

// expressions that select some of the devices that random clusters have, or all.
var expressions = []string{
	`device.driver == "gpu.example.com"`,
	`device.attributes["gpu.example.com"].model == "h100"`,
	`device.attributes["gpu.example.com"].model != "t4"`,
	`device.attributes["gpu.example.com"].model in ["a100", "t4"]`,
	`device.capacity["gpu.example.com"].memory.compareTo(quantity("40Gi")) >= 0`,
	`device.attributes["gpu.example.com"].index % 2 == 0`,
	`device.attributes["gpu.example.com"].exists(name, name == "fast")`,
}

// dice are choices read from bytes; when those are used up the first choice is taken.
type dice struct{ data []byte }

func (d *dice) n(limit int) int {
	if len(d.data) == 0 {
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	return int(b) % limit
}

func one[T any](d *dice, values ...T) T { return values[d.n(len(values))] }

// world is a node, and what is asked of it.
type world struct {
	slices  []*resourcev1.ResourceSlice
	classes []*resourcev1.DeviceClass
	claims  []*resourcev1.ResourceClaim
	asked   resourcev1.DeviceClaim
	pods    int
}

func roll(d *dice) world {
	w := world{pods: one(d, 1, 1, 2, 2, 3)}
	for i := range 1 + d.n(3) {
		w.classes = append(w.classes, &resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("class", i), UID: types.UID(fmt.Sprint("class", i))},
			Spec: resourcev1.DeviceClassSpec{Selectors: selectors(d)}})
	}
	for i := range 1 + d.n(2) {
		w.slices = append(w.slices, slice(d, i))
	}
	for _, s := range w.slices {
		for i := range s.Spec.Devices {
			if d.n(4) == 3 {
				w.claims = append(w.claims, holder(s, s.Spec.Devices[i].Name))
			}
		}
	}
	for i := range one(d, 1, 1, 2, 3) {
		w.asked.Requests = append(w.asked.Requests, resourcev1.DeviceRequest{Name: fmt.Sprint("request", i), Exactly: &resourcev1.ExactDeviceRequest{
			DeviceClassName: one(d, w.classes...).Name, AllocationMode: resourcev1.DeviceAllocationModeExactCount, Count: one[int64](d, 1, 1, 2),
			Selectors: selectors(d)[d.n(2):]}})
	}
	return w
}

// selectors are one or two.
func selectors(d *dice) []resourcev1.DeviceSelector {
	list := []resourcev1.DeviceSelector{{CEL: &resourcev1.CELDeviceSelector{Expression: one(d, expressions...)}}}
	if d.n(4) == 3 {
		list = append(list, resourcev1.DeviceSelector{CEL: &resourcev1.CELDeviceSelector{Expression: one(d, expressions...)}})
	}
	return list
}

// slice of a pool of the node, or now and then of another node, of one that is half there, or
// of one that was replaced.
func slice(d *dice, number int) *resourcev1.ResourceSlice {
	name := fmt.Sprint("pool", number)
	s := &resourcev1.ResourceSlice{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}, Spec: resourcev1.ResourceSliceSpec{
		Driver: driver, NodeName: ptr.To(one(d, node, node, node, node, node, "other")),
		Pool: resourcev1.ResourcePool{Name: name, Generation: 1, ResourceSliceCount: one[int64](d, 1, 1, 1, 1, 1, 2)}}}
	for i := range 3 + d.n(7) {
		g := resourcev1.Device{Name: fmt.Sprint("gpu", i),
			Attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{
				"model": {StringValue: ptr.To(one(d, "h100", "a100", "t4"))}, "index": {IntValue: ptr.To(int64(i))}},
			Capacity: map[resourcev1.QualifiedName]resourcev1.DeviceCapacity{"memory": {Value: resource.MustParse(one(d, "80Gi", "40Gi", "16Gi"))}}}
		if d.n(3) == 2 {
			g.Attributes["fast"] = resourcev1.DeviceAttribute{BoolValue: ptr.To(true)}
		}
		if d.n(6) == 5 {
			g.Taints = []resourcev1.DeviceTaint{{Key: "broken", Effect: one(d, resourcev1.DeviceTaintEffectNoSchedule, resourcev1.DeviceTaintEffectNone)}}
		}
		s.Spec.Devices = append(s.Spec.Devices, g)
	}
	return s
}

func holder(s *resourcev1.ResourceSlice, device string) *resourcev1.ResourceClaim {
	name := s.Name + "-" + device
	return &resourcev1.ResourceClaim{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns", UID: types.UID(name)}, Status: resourcev1.ResourceClaimStatus{
		Allocation: &resourcev1.AllocationResult{Devices: resourcev1.DeviceAllocationResult{
			Results: []resourcev1.DeviceRequestAllocationResult{{Driver: driver, Pool: s.Spec.Pool.Name, Device: device}}}}}}
}

func theNode() *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node, UID: node}, Status: corev1.NodeStatus{
		Allocatable: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("110")},
		Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}}
}

// ours says whether the gang is placed.
func (w *world) ours(t *testing.T) bool {
	t.Helper()
	requests, problem := podset.Counted(&w.asked)
	if problem != "" {
		t.Fatal(problem)
	}
	r := scheduler.NewRehearsal()
	r.Set(theNode())
	for _, c := range w.claims {
		r.Set(c)
	}
	for _, s := range w.slices {
		r.Set(s)
	}
	for _, c := range w.classes {
		r.Set(c)
	}
	g := &slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Name: "g", Namespace: "ns", UID: "g", Generation: 1, ResourceVersion: "1"},
		Spec: slipwayv1.GangSpec{PodSets: []slipwayv1.PodSet{{Name: "w", Count: int32(w.pods), Devices: requests}}}}
	r.Set(g)
	now := time.Unix(1, 0)
	r.Decide(now)
	status, _ := r.Status(types.NamespacedName{Namespace: "ns", Name: "g"}, now)
	return status != nil && meta.IsStatusConditionTrue(status.Conditions, slipwayv1.ConditionPlaced)
}

// lister of the classes.
type lister []*resourcev1.DeviceClass

func (l lister) List() ([]*resourcev1.DeviceClass, error) { return l, nil }

func (l lister) Get(name string) (*resourcev1.DeviceClass, error) {
	if i := slices.IndexFunc(l, func(c *resourcev1.DeviceClass) bool { return c.Name == name }); i >= 0 {
		return l[i], nil
	}
	return nil, apierrors.NewNotFound(resourcev1.Resource("deviceclasses"), name)
}

// upstreams says whether Kubernetes' allocator finds devices for the claims of all pods.
func (w *world) upstreams(t *testing.T) bool {
	t.Helper()
	allocated := sets.New[structured.DeviceID]()
	for _, c := range w.claims {
		r := c.Status.Allocation.Devices.Results[0]
		allocated.Insert(structured.MakeDeviceID(r.Driver, r.Pool, r.Device))
	}
	features := structured.Features{AdminAccess: true, DeviceTaints: true, PrioritizedList: true}
	allocator, err := structured.NewAllocator(t.Context(), features, structured.AllocatedState{AllocatedDevices: allocated},
		lister(w.classes), w.slices, cel.NewCache(100, cel.Features{}))
	if err != nil {
		t.Fatal(err)
	}
	var claims []*resourcev1.ResourceClaim
	for i := range w.pods {
		claims = append(claims, &resourcev1.ResourceClaim{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("g-", i), Namespace: "ns"},
			Spec: resourcev1.ResourceClaimSpec{Devices: w.asked}})
	}
	results, err := allocator.Allocate(t.Context(), theNode(), claims)
	if err != nil {
		t.Fatal(err)
	}
	return len(results) == w.pods
}

// compare the two, and return what both say.
func compare(t *testing.T, data []byte) bool {
	t.Helper()
	w := roll(&dice{data})
	ours, upstreams := w.ours(t), w.upstreams(t)
	if ours != upstreams {
		t.Errorf("ours says %t, Kubernetes %t: %d pods that ask for %+v of %+v, where %+v are taken, classes %+v",
			ours, upstreams, w.pods, w.asked, w.slices, w.claims, w.classes)
	}
	return ours
}

// TestDevices compares with many clusters, of which enough must be of either kind.
func TestDevices(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const worlds = 1000
	fit := 0
	for range worlds {
		data := make([]byte, 120)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		if compare(t, data) {
			fit++
		}
	}
	if fit < worlds/10 || fit > worlds*9/10 {
		t.Errorf("%d of %d gangs fit; the test compares too few of one kind", fit, worlds)
	}
}

func FuzzDevices(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Fuzz(func(t *testing.T, data []byte) { compare(t, data) })
}
