// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package devices

import (
	"cmp"
	"fmt"
	"slices"

	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/utils/ptr"

	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// ID of a device.
type ID struct{ Driver, Pool, Device string }

func (id ID) String() string { return fmt.Sprintf("%s/%s/%s", id.Driver, id.Pool, id.Device) }

// device as a slice tells of it.
type device struct {
	id   ID
	node string
	// traits that selectors look at.
	traits
	// of which kinds it is, and those whose selectors failed on it.
	of, failed kinds
	// cause why it is not counted; empty for one that is.
	cause string
	// tainted devices are counted while somebody has them.
	tainted bool
	// held says that a claim has it.
	held bool
}

func (d *device) counts() bool { return d.cause == "" && (!d.tainted || d.held) }

// pool of devices of a driver, published in slices.
type pool struct {
	slices  map[string]*resourcev1.ResourceSlice
	devices []*device
}

type poolID struct{ driver, name string }

func poolOf(s *resourcev1.ResourceSlice) poolID { return poolID{s.Spec.Driver, s.Spec.Pool.Name} }

// current slices of the pool, in the order of their names: those of the latest generation,
// or none while not all of them are there. The default scheduler waits for them, too.
func (p *pool) current() []*resourcev1.ResourceSlice {
	var latest []*resourcev1.ResourceSlice
	for _, s := range p.slices {
		switch {
		case len(latest) == 0 || s.Spec.Pool.Generation > latest[0].Spec.Pool.Generation:
			latest = []*resourcev1.ResourceSlice{s}
		case s.Spec.Pool.Generation == latest[0].Spec.Pool.Generation:
			latest = append(latest, s)
		}
	}
	slices.SortFunc(latest, func(a, b *resourcev1.ResourceSlice) int { return cmp.Compare(a.Name, b.Name) })
	if len(latest) == 0 || int64(len(latest)) != latest[0].Spec.Pool.ResourceSliceCount {
		return nil
	}
	return latest
}

// list the devices of the pool; none where two have one name, as the default scheduler
// has it.
func (p *pool) list(known names) []*device {
	var list []*device
	seen := map[string]bool{}
	for _, s := range p.current() {
		s = snapshot.Unpack(s)
		for i := range s.Spec.Devices {
			d := newDevice(s, &s.Spec.Devices[i], known)
			if seen[d.id.Device] {
				return nil
			}
			seen[d.id.Device] = true
			list = append(list, d)
		}
	}
	return list
}

func newDevice(s *resourcev1.ResourceSlice, told *resourcev1.Device, known names) *device {
	d := &device{id: ID{s.Spec.Driver, s.Spec.Pool.Name, told.Name}, traits: known.traits(s.Spec.Driver, told), node: ptr.Deref(s.Spec.NodeName, "")}
	if ptr.Deref(s.Spec.PerDeviceNodeSelection, false) {
		d.node = ptr.Deref(told.NodeName, "")
	}
	switch {
	case d.node == "":
		d.cause = "is not on one node alone"
	case len(told.ConsumesCounters) > 0:
		d.cause = "shares counters with others (consumesCounters)"
	case d.shared:
		d.cause = "may be allocated several times (allowMultipleAllocations)"
	}
	d.tainted = slices.ContainsFunc(told.Taints, func(t resourcev1.DeviceTaint) bool {
		return t.Effect == resourcev1.DeviceTaintEffectNoSchedule || t.Effect == resourcev1.DeviceTaintEffectNoExecute
	})
	return d
}
