// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package devices

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

const driver = "gpu.example.com"

// class of devices that an expression holds for.
func class(name, expression string) *resourcev1.DeviceClass {
	return &resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: resourcev1.DeviceClassSpec{
		Selectors: []resourcev1.DeviceSelector{{CEL: &resourcev1.CELDeviceSelector{Expression: expression}}}}}
}

// gpu of a model with so much memory.
func gpu(name, model, memory string, change ...func(*resourcev1.Device)) resourcev1.Device {
	d := resourcev1.Device{Name: name,
		Attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{"model": {StringValue: &model}},
		Capacity:   map[resourcev1.QualifiedName]resourcev1.DeviceCapacity{"memory": {Value: resource.MustParse(memory)}}}
	for _, f := range change {
		f(&d)
	}
	return d
}

// slice of a node's pool, which is all of it unless changed.
func slice(node string, devices []resourcev1.Device, change ...func(*resourcev1.ResourceSlice)) *resourcev1.ResourceSlice {
	s := &resourcev1.ResourceSlice{ObjectMeta: metav1.ObjectMeta{Name: node, UID: types.UID("slice-" + node)}, Spec: resourcev1.ResourceSliceSpec{
		Driver: driver, NodeName: &node, Pool: resourcev1.ResourcePool{Name: node, Generation: 1, ResourceSliceCount: 1}, Devices: devices}}
	for _, f := range change {
		f(s)
	}
	return s
}

// claim that has devices of a node's pool.
func claim(uid, node string, devices ...string) *resourcev1.ResourceClaim {
	c := &resourcev1.ResourceClaim{ObjectMeta: metav1.ObjectMeta{Name: uid, UID: types.UID(uid)}}
	if len(devices) > 0 {
		c.Status.Allocation = &resourcev1.AllocationResult{}
	}
	for _, d := range devices {
		c.Status.Allocation.Devices.Results = append(c.Status.Allocation.Devices.Results,
			resourcev1.DeviceRequestAllocationResult{Driver: driver, Pool: node, Device: d})
	}
	return c
}

func ask(class string, count int64, selectors ...string) slipwayv1.DeviceRequest {
	return slipwayv1.DeviceRequest{DeviceClass: class, Count: count, Selectors: selectors}
}

const (
	isH100 = `device.attributes["gpu.example.com"].model == "h100"`
	isA100 = `device.attributes["gpu.example.com"].model == "a100"`
	large  = `device.capacity["gpu.example.com"].memory.compareTo(quantity("60Gi")) >= 0`
	anyGPU = `device.driver == "gpu.example.com"`
)

func resourceOf(class string) string { return class + ".deviceclass.resource.k8s.io/devices" }

func TestCountsByClass(t *testing.T) {
	tainted := func(d *resourcev1.Device) {
		d.Taints = []resourcev1.DeviceTaint{{Key: "broken", Effect: resourcev1.DeviceTaintEffectNoSchedule}}
	}
	both := []resourcev1.Device{gpu("0", "h100", "80Gi"), gpu("1", "a100", "40Gi")}
	for name, c := range map[string]struct {
		slices []*resourcev1.ResourceSlice
		want   map[string]int64
	}{
		"nothing":        {nil, map[string]int64{}},
		"each class":     {[]*resourcev1.ResourceSlice{slice("n", both)}, map[string]int64{resourceOf("h100"): 1, resourceOf("a100"): 1}},
		"of no class":    {[]*resourcev1.ResourceSlice{slice("n", []resourcev1.Device{gpu("0", "t4", "16Gi")})}, map[string]int64{}},
		"another node's": {[]*resourcev1.ResourceSlice{slice("m", both)}, map[string]int64{}},
		"a tainted one": {[]*resourcev1.ResourceSlice{slice("n", []resourcev1.Device{gpu("0", "h100", "80Gi", tainted), gpu("1", "h100", "80Gi")})},
			map[string]int64{resourceOf("h100"): 1}},
		"a pool in two slices": {[]*resourcev1.ResourceSlice{
			slice("n", both[:1], func(s *resourcev1.ResourceSlice) { s.Spec.Pool.ResourceSliceCount = 2 }),
			slice("n", both[1:], func(s *resourcev1.ResourceSlice) { s.Name, s.Spec.Pool.ResourceSliceCount = "n2", 2 })},
			map[string]int64{resourceOf("h100"): 1, resourceOf("a100"): 1}},
		"half a pool": {[]*resourcev1.ResourceSlice{slice("n", both, func(s *resourcev1.ResourceSlice) { s.Spec.Pool.ResourceSliceCount = 2 })}, map[string]int64{}},
		"an older generation": {[]*resourcev1.ResourceSlice{
			slice("n", both[:1], func(s *resourcev1.ResourceSlice) { s.Spec.Pool.Generation = 2 }),
			slice("n", both, func(s *resourcev1.ResourceSlice) { s.Name = "old" })},
			map[string]int64{resourceOf("h100"): 1}},
		"made again in another pool": {[]*resourcev1.ResourceSlice{slice("n", both),
			slice("n", both[:1], func(s *resourcev1.ResourceSlice) { s.Spec.Pool.Name = "other" })},
			map[string]int64{resourceOf("h100"): 1}},
		"two of one name": {[]*resourcev1.ResourceSlice{slice("n", []resourcev1.Device{both[0], both[0]})}, map[string]int64{}},
		"each device says where": {[]*resourcev1.ResourceSlice{slice("n", []resourcev1.Device{
			gpu("0", "h100", "80Gi", func(d *resourcev1.Device) { d.NodeName = ptr.To("n") }), gpu("1", "h100", "80Gi", func(d *resourcev1.Device) { d.NodeName = ptr.To("m") })},
			func(s *resourcev1.ResourceSlice) { s.Spec.NodeName, s.Spec.PerDeviceNodeSelection = nil, ptr.To(true) })},
			map[string]int64{resourceOf("h100"): 1}},
	} {
		t.Run(name, func(t *testing.T) {
			census := New()
			census.SetClass(class("h100", isH100))
			for _, s := range c.slices {
				census.SetSlice(s)
			}
			census.SetClass(class("a100", isA100))
			census.Refresh()
			if diff := cmp.Diff(c.want, census.On("n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNarrowerRequests are counted beside their class, and beside each other where they
// may get the same device.
func TestNarrowerRequests(t *testing.T) {
	census := New()
	census.SetClass(class("gpu", anyGPU))
	census.SetSlice(slice("n", []resourcev1.Device{gpu("0", "h100", "80Gi"), gpu("1", "a100", "80Gi"), gpu("2", "a100", "40Gi")}))
	census.Want("g", []slipwayv1.DeviceRequest{ask("gpu", 1, large), ask("gpu", 1, isA100)})
	census.Refresh()
	whereLarge, whereA100 := resourceOf("gpu")+" where "+large, resourceOf("gpu")+" where "+isA100
	want := map[string]int64{resourceOf("gpu"): 3, whereLarge: 2, whereA100: 2}
	if diff := cmp.Diff(want, census.On("n")); diff != "" {
		t.Errorf("together they are the class: %s", diff)
	}
	asked, err := census.Resources([]slipwayv1.DeviceRequest{ask("gpu", 2), ask("gpu", 1, large)})
	if diff := cmp.Diff(map[string]int64{resourceOf("gpu"): 3, whereLarge: 1}, asked); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}

	census.SetSlice(slice("m", []resourcev1.Device{gpu("0", "t4", "16Gi")}))
	if changes := census.Refresh(); !changes.Names {
		t.Error("that there is a device of neither changes what must be counted")
	}
	union := ""
	for name := range census.On("n") {
		if strings.HasPrefix(name, "devices of ") {
			union = name
		}
	}
	asked, err = census.Resources([]slipwayv1.DeviceRequest{ask("gpu", 1, isA100)})
	if diff := cmp.Diff(map[string]int64{resourceOf("gpu"): 1, whereA100: 1, union: 1}, asked); diff != "" || err != nil || union == "" {
		t.Errorf("%v %q %s", err, union, diff)
	}
	if n := census.On("n")[union]; n != 3 {
		t.Errorf("%d devices are of one or the other, want 3", n)
	}
	census.Want("g", nil)
	census.Refresh()
	if n := census.On("n")[resourceOf("gpu")]; n != 3 {
		t.Errorf("%d devices of the class are left, want 3", n)
	}
}

func TestAllocatedDevicesAreTaken(t *testing.T) {
	census := New()
	census.SetClass(class("gpu", anyGPU))
	census.SetClass(class("h100", isH100))
	census.SetClaim(claim("c", "n", "0", "7")) // told of before its device, and 7 there is not
	tainted := gpu("0", "h100", "80Gi", func(d *resourcev1.Device) {
		d.Taints = []resourcev1.DeviceTaint{{Key: "broken", Effect: resourcev1.DeviceTaintEffectNoExecute}}
	})
	census.SetSlice(slice("n", []resourcev1.Device{tainted, gpu("1", "a100", "40Gi")}))
	changes := census.Refresh()
	if diff := cmp.Diff(Changes{Nodes: []string{"n"}, Claims: []types.UID{"c"}, Names: true}, changes); diff != "" {
		t.Error(diff)
	}
	union := "devices of gpu or h100"
	node, taken := census.Taken("c")
	if diff := cmp.Diff(map[string]int64{resourceOf("gpu"): 1, resourceOf("h100"): 1, union: 1}, taken); diff != "" || node != "n" {
		t.Errorf("on %s: %s", node, diff)
	}
	if diff := cmp.Diff(map[string]int64{resourceOf("gpu"): 2, resourceOf("h100"): 1, union: 2}, census.On("n")); diff != "" {
		t.Errorf("a tainted device counts while somebody has it: %s", diff)
	}
	census.SetClaim(claim("c", "n"))
	if diff := cmp.Diff(Changes{Nodes: []string{"n"}, Claims: []types.UID{"c"}}, census.Refresh()); diff != "" {
		t.Error(diff)
	}
	if _, taken := census.Taken("c"); len(taken) != 0 {
		t.Errorf("it still takes %v", taken)
	}
	if diff := cmp.Diff(map[string]int64{resourceOf("gpu"): 1, union: 1}, census.On("n")); diff != "" {
		t.Errorf("and then no more: %s", diff)
	}
	if changes := census.Refresh(); len(changes.Nodes)+len(changes.Claims) > 0 || changes.Names {
		t.Errorf("nothing happened, and %+v changed", changes)
	}
}

func TestSharedDevicesAreNotTaken(t *testing.T) {
	census := New()
	c := claim("c", "n", "0", "1")
	c.Status.Allocation.Devices.Results[0].AdminAccess = ptr.To(true)
	c.Status.Allocation.Devices.Results[1].ShareID = ptr.To[types.UID]("s")
	if census.SetClaim(c); census.Stale() {
		t.Error("it takes something")
	}
}

func TestProblems(t *testing.T) {
	shared := func(d *resourcev1.Device) {
		d.ConsumesCounters = []resourcev1.DeviceCounterConsumption{{CounterSet: "c"}}
	}
	for name, c := range map[string]struct {
		request slipwayv1.DeviceRequest
		slice   *resourcev1.ResourceSlice
		want    string
	}{
		"fine":            {ask("gpu", 9), slice("n", []resourcev1.Device{gpu("0", "h100", "80Gi")}), ""},
		"none there":      {ask("gpu", 1), nil, ""},
		"no class":        {ask("tpu", 1), nil, "there is no DeviceClass tpu; make it or name another"},
		"invalid":         {ask("gpu", 1, "device.x"), nil, "a selector is invalid: \"device.x\": compilation failed"},
		"fails":           {ask("gpu", 1, `device.attributes["gpu.example.com"].other == 1`), slice("n", []resourcev1.Device{gpu("0", "h100", "80Gi")}), "no such key: other; correct it"},
		"costs too much":  {ask("gpu", 1, nested(4)), slice("n", []resourcev1.Device{gpu("0", "h100", "80Gi")}), "cost limit exceeded"},
		"shared counters": {ask("gpu", 1), slice("n", []resourcev1.Device{gpu("0", "h100", "80Gi", shared)}), "shares counters with others (consumesCounters)"},
		"on the network": {ask("gpu", 1), slice("n", []resourcev1.Device{gpu("0", "h100", "80Gi")}, func(s *resourcev1.ResourceSlice) { s.Spec.NodeName, s.Spec.AllNodes = nil, ptr.To(true) }),
			"is not on one node alone"},
		"several times": {ask("gpu", 1), slice("n", []resourcev1.Device{gpu("0", "h100", "80Gi", func(d *resourcev1.Device) { d.AllowMultipleAllocations = ptr.To(true) })}),
			"may be allocated several times"},
	} {
		t.Run(name, func(t *testing.T) {
			census := New()
			census.SetClass(class("gpu", anyGPU))
			if c.slice != nil {
				census.SetSlice(c.slice)
			}
			census.Want("g", []slipwayv1.DeviceRequest{c.request})
			census.Refresh()
			asked, err := census.Resources([]slipwayv1.DeviceRequest{c.request})
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if asked[resourceOf(c.request.DeviceClass)] != c.request.Count {
				t.Errorf("asks for %v", asked)
			}
		})
	}
}

// nested loops over twenty numbers.
func nested(loops int) string {
	expression := "true"
	for i := range loops {
		expression = fmt.Sprintf("[%s].all(x%d, %s)", strings.Repeat("1, ", 19)+"1", i, expression)
	}
	return expression
}

// TestTooManyKinds are refused, and there is room again when nobody asks any more.
func TestTooManyKinds(t *testing.T) {
	census := New()
	census.SetClass(class("gpu", anyGPU))
	for i := range maxKinds {
		r := []slipwayv1.DeviceRequest{ask("gpu", 1, fmt.Sprintf("%d == %d", i, i))}
		census.Want(fmt.Sprint(i), r)
		census.Refresh()
		if _, err := census.Resources(r); (err != nil) != (i == maxKinds-1) {
			t.Errorf("request %d: %v", i, err)
		}
	}
	for i := range maxIdle {
		census.Want(fmt.Sprint(i), nil)
	}
	if n := len(census.kinds); n != maxKinds+1 {
		t.Errorf("%d kinds are there, want that those that nobody asks for are kept", n)
	}
	census.Want(fmt.Sprint(maxIdle), nil)
	if n := len(census.kinds); n != maxKinds {
		t.Errorf("%d kinds are there, want that one was dropped", n)
	}
	census.Refresh()
	last := maxKinds - 1
	if _, err := census.Resources([]slipwayv1.DeviceRequest{ask("gpu", 1, fmt.Sprintf("%d == %d", last, last))}); err != nil {
		t.Errorf("there is room for it now: %v", err)
	}
}

// BenchmarkCensus: 7,500 nodes of 8 devices with ten attributes each, counted at once, and
// again when one node's slice changes.
func BenchmarkCensus(b *testing.B) {
	all := make([]*resourcev1.ResourceSlice, 7500)
	for i := range all {
		node := fmt.Sprintf("node-%d", i)
		all[i] = slice(node, nil)
		for d := range 8 {
			all[i].Spec.Devices = append(all[i].Spec.Devices, gpu(fmt.Sprint(d), "h100", "80Gi", func(g *resourcev1.Device) {
				for a := range 9 {
					g.Attributes[resourcev1.QualifiedName(fmt.Sprintf("attribute%d", a))] = resourcev1.DeviceAttribute{StringValue: ptr.To(fmt.Sprintf("%s-%d", node, d))}
				}
			}))
		}
	}
	fill := func() *Census {
		census := New()
		census.SetClass(class("gpu", anyGPU))
		census.SetClass(class("h100", anyGPU+" && "+isH100))
		for _, s := range all {
			census.SetSlice(s)
		}
		census.Refresh()
		return census
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			fill()
		}
	})
	census := fill()
	b.Run("one node", func(b *testing.B) {
		for b.Loop() {
			census.SetSlice(all[17])
			census.Refresh()
		}
	})
	b.Run("a new selector", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			census.Want("g", []slipwayv1.DeviceRequest{ask("gpu", 1, fmt.Sprintf("%s && %d == %d", large, i, i))})
			census.Refresh()
		}
	})
}
