// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package devices

import (
	"strconv"
	"strings"

	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/dynamic-resource-allocation/cel"
	"k8s.io/utils/ptr"
)

// traits of a device are all that selectors can look at, in a tenth of the memory that maps
// take: there may be tens of thousands of devices with ten attributes each.
type traits struct {
	driver string
	// shared devices may be allocated several times.
	shared     bool
	attributes []trait
	capacities []trait
}

// trait is an attribute or a capacity: its name, and its value in letters.
type trait struct{ name, value string }

// names of traits, of which there are few, kept once.
type names map[string]string

func (n names) of(name string) string {
	kept, is := n[name]
	if !is {
		kept = strings.Clone(name)
		n[kept] = kept
	}
	return kept
}

func (n names) traits(driver string, d *resourcev1.Device) traits {
	t := traits{driver: driver, shared: ptr.Deref(d.AllowMultipleAllocations, false)}
	if len(d.Attributes) > 0 {
		t.attributes = make([]trait, 0, len(d.Attributes))
	}
	for name, value := range d.Attributes {
		t.attributes = append(t.attributes, trait{n.of(string(name)), spell(&value)})
	}
	for name, value := range d.Capacity {
		t.capacities = append(t.capacities, trait{n.of(string(name)), value.Value.String()})
	}
	return t
}

// spell a value, as understand reads it: a letter for its type, and what it is.
func spell(a *resourcev1.DeviceAttribute) string {
	switch {
	case a.StringValue != nil:
		return "s" + *a.StringValue
	case a.IntValue != nil:
		return "i" + strconv.FormatInt(*a.IntValue, 10)
	case a.BoolValue != nil:
		return "b" + strconv.FormatBool(*a.BoolValue)
	case a.VersionValue != nil:
		return "v" + *a.VersionValue
	}
	list := *a
	sent, _ := list.Marshal() // it came decoded, so that it can be encoded
	return "l" + string(sent)
}

func understand(value string) resourcev1.DeviceAttribute {
	var a resourcev1.DeviceAttribute
	switch text := value[1:]; value[0] {
	case 's':
		a.StringValue = &text
	case 'v':
		a.VersionValue = &text
	case 'i':
		n, _ := strconv.ParseInt(text, 10, 64) // it was one
		a.IntValue = &n
	case 'b':
		a.BoolValue = ptr.To(text == "true")
	default:
		_ = a.Unmarshal([]byte(text)) // it was encoded here
	}
	return a
}

// find a value by name; false for none.
func find(traits []trait, name string) (trait, bool) {
	for _, t := range traits {
		if t.name == name {
			return t, true
		}
	}
	return trait{}, false
}

// device with these traits, as selectors are shown it.
func (t *traits) device() cel.Device {
	d := cel.Device{Driver: t.driver, AllowMultipleAllocations: &t.shared,
		Attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{}, Capacity: map[resourcev1.QualifiedName]resourcev1.DeviceCapacity{}}
	for _, a := range t.attributes {
		d.Attributes[resourcev1.QualifiedName(a.name)] = understand(a.value)
	}
	for _, c := range t.capacities {
		d.Capacity[resourcev1.QualifiedName(c.name)] = resourcev1.DeviceCapacity{Value: resource.MustParse(c.value)}
	}
	return d
}
