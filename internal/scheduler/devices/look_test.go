// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package devices

import (
	"testing"

	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/dynamic-resource-allocation/cel"
	"k8s.io/utils/ptr"
)

// looks are expressions, and whether it is known which parts of a device they look at.
var looks = []struct {
	expression string
	known      bool
}{
	{`device.driver == "a.com"`, true},
	{`device.allowMultipleAllocations`, true},
	{`device.attributes["a.com"].model == "x"`, true},
	{`device.attributes["a.com"]["model"] == "x"`, true},
	{`device.attributes["b.com"].model == "x"`, true},
	{`has(device.attributes["a.com"].model) && device.attributes["a.com"].model.startsWith("x")`, true},
	{`device.capacity["a.com"].memory.compareTo(quantity("2Gi")) > 0`, true},
	{`device.attributes["a.com"].index > 1 || device.attributes["a.com"].version.isGreaterThan(semver("1.2.3"))`, true},
	{`[1, 2].exists(i, device.attributes["a.com"].index == i)`, true},
	{`device.attributes["a.com"].?model.orValue("none") == "none"`, false},
	{`device.attributes["a." + "com"].model == "x"`, false},
	{`device.attributes["a.com"]["mo" + "del"] == "x"`, false},
	{`"model" in device.attributes["a.com"]`, false},
	{`"b.com" in device.attributes`, false},
	{`device.attributes["a.com"].exists(name, name == "model")`, false},
	{`cel.bind(mine, device.attributes["a.com"], mine.model == "x")`, false},
	{`cel.bind(mine, device, mine.driver == "a.com")`, false},
}

func TestLook(t *testing.T) {
	for _, c := range looks {
		k := newKind("k", "k", []string{c.expression}, nil)
		if k.invalid != "" {
			t.Fatalf("%s: %s", c.expression, k.invalid)
		}
		if k.look.all == c.known {
			t.Errorf("%s: looks at %+v", c.expression, k.look)
		}
	}
}

// FuzzLook: a device is of a kind when another one was that looks like it.
func FuzzLook(f *testing.F) {
	f.Add(uint64(0x0123456789abcdef))
	var all []*kind
	for _, c := range looks {
		all = append(all, newKind("k", "k", []string{c.expression}, nil))
	}
	f.Add(uint64(7))
	f.Fuzz(func(t *testing.T, seed uint64) {
		pick := func(n uint64) uint64 {
			seed = seed*6364136223846793005 + 1442695040888963407
			return seed >> 33 % n
		}
		driver := []string{"a.com", "b.com"}[pick(2)]
		d := resourcev1.Device{
			Attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{"serial": {IntValue: ptr.To(int64(pick(1000)))}},
			Capacity:   map[resourcev1.QualifiedName]resourcev1.DeviceCapacity{}}
		if pick(2) == 0 {
			d.AllowMultipleAllocations = ptr.To(pick(2) == 0)
		}
		values := []resourcev1.DeviceAttribute{{StringValue: ptr.To("x")}, {StringValue: ptr.To("y")}, {IntValue: ptr.To[int64](1)},
			{IntValue: ptr.To[int64](2)}, {BoolValue: ptr.To(true)}, {VersionValue: ptr.To("1.3.0")}, {VersionValue: ptr.To("1.0.0")},
			{StringValues: []string{"x"}}, {StringValues: []string{"x", "y"}}}
		domain := []string{"", "a.com/", "b.com/"}[pick(3)]
		for _, name := range []string{"model", "index", "version"} {
			if pick(3) > 0 {
				d.Attributes[resourcev1.QualifiedName(domain+name)] = values[pick(uint64(len(values)))]
			}
		}
		if pick(2) == 0 {
			d.Capacity[resourcev1.QualifiedName(domain+"memory")] = resourcev1.DeviceCapacity{Value: *resource.NewQuantity(int64(pick(4))<<30, resource.BinarySI)}
		}
		told := names{}.traits(driver, &d)
		for i, k := range all {
			is, err := k.includes(&told)
			want, _, wrong := k.selectors[0].DeviceMatches(t.Context(), cel.Device{
				Driver: driver, AllowMultipleAllocations: d.AllowMultipleAllocations, Attributes: d.Attributes, Capacity: d.Capacity})
			if is != want || (err == nil) != (wrong == nil) {
				t.Errorf("%s: %t, %v after others; by itself %t, %v: %+v", looks[i].expression, is, err, want, wrong, d)
			}
		}
	})
}
