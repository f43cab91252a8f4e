// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package devices

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// On a node, how many devices there are of each resource.
func (c *Census) On(node string) map[string]int64 {
	there, failed := map[string]int64{}, c.failed(node)
	for _, d := range c.nodes[node] {
		c.addTo(there, d, failed)
	}
	return there
}

// Taken by a claim, so much of each resource, and the node on which it is.
func (c *Census) Taken(claim types.UID) (node string, taken map[string]int64) {
	taken = map[string]int64{}
	for _, id := range c.claims[claim] {
		if d := c.devices[id]; d != nil && d.counts() {
			node = d.node
			c.addTo(taken, d, c.failed(node))
		}
	}
	return node, taken
}

func (c *Census) addTo(sum map[string]int64, d *device, failed kinds) {
	if d.counts() {
		for _, name := range c.resourcesOf(d.of.without(failed)) {
			sum[name]++
		}
	}
}

// failed are the kinds whose selectors fail on a device of the node: nobody who asks for
// them gets one there.
func (c *Census) failed(node string) kinds {
	var failed kinds
	for _, d := range c.nodes[node] {
		failed = failed.or(d.failed)
	}
	return failed
}

// resourcesOf a device of these kinds.
func (c *Census) resourcesOf(of kinds) []string {
	names, known := c.resources[of]
	if known {
		return names
	}
	for _, i := range of.list() {
		names = append(names, c.numbers[i].name)
	}
	for _, u := range c.unions {
		if u.of.meets(of) {
			names = append(names, u.name)
		}
	}
	c.resources[of] = names
	return names
}

// Resources that requests ask for, after [Census.Refresh], and what keeps them from being
// met at all: there is no such class, or none of its devices can be counted. They are those of
// its name then.
func (c *Census) Resources(requests []slipwayv1.DeviceRequest) (map[string]int64, error) {
	asked := map[string]int64{}
	var problems []error
	for i := range requests {
		r := &requests[i]
		asked[string(ResourceName(r.DeviceClass))] += r.Count
		k := c.kinds[NameOf(r)]
		if problem := c.problem(r, k); problem != nil {
			problems = append(problems, fmt.Errorf("devices[%d]: %w", i, problem))
			continue
		}
		if k.narrower {
			asked[k.name] += r.Count
		}
		for _, u := range c.unions {
			if u.of.has(k.number) {
				asked[u.name] += r.Count
			}
		}
	}
	return asked, errors.Join(problems...)
}

// problem with a request for devices of a kind.
func (c *Census) problem(r *slipwayv1.DeviceRequest, k *kind) error {
	class := c.kinds[string(ResourceName(r.DeviceClass))]
	switch {
	case class == nil:
		return fmt.Errorf("there is no DeviceClass %s; make it or name another", r.DeviceClass)
	case k == nil:
		return errors.New("its selectors are those of no gang in the cluster, so that it is not known which devices they mean; leave them out")
	case k.number < 0 || class.number < 0:
		return fmt.Errorf("more than %d device classes and different selectors are asked for at once; use fewer", maxKinds)
	case c.there(k):
		return nil
	case class.invalid != "":
		return fmt.Errorf("a selector of DeviceClass %s is invalid: %s; correct it", r.DeviceClass, class.invalid)
	case k.invalid != "":
		return fmt.Errorf("a selector is invalid: %s; correct it", k.invalid)
	case c.fails(class):
		return fmt.Errorf("a selector of DeviceClass %s fails: %s; correct it", r.DeviceClass, class.fault)
	case c.fails(k):
		return fmt.Errorf("a selector fails: %s; correct it", k.fault)
	}
	for _, e := range slices.SortedFunc(maps.Keys(c.structure.excluded), exclusion.compare) {
		if e.of.has(k.number) {
			return fmt.Errorf("what there is of DeviceClass %s cannot be counted: each such device %s; ask for an extended resource, or have the driver publish whole devices of one node",
				r.DeviceClass, e.cause)
		}
	}
	return nil
}

// fails says that the selectors of the kind failed on a device that is there.
func (c *Census) fails(k *kind) bool {
	for _, d := range c.devices {
		if d.failed.has(k.number) {
			return true
		}
	}
	return false
}

// there says that a device of the kind is counted somewhere.
func (c *Census) there(k *kind) bool {
	for of := range c.structure.counted {
		if of.has(k.number) {
			return true
		}
	}
	return false
}
