// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package devices

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// site is a census that hears of changes, and what there is, kept apart from it.
type site struct {
	*rand.Rand
	census *Census
	// classes, slices, claims and what gangs want, by name.
	classes map[string]*resourcev1.DeviceClass
	slices  map[string]*resourcev1.ResourceSlice
	claims  map[string]*resourcev1.ResourceClaim
	gangs   map[string][]slipwayv1.DeviceRequest
	// asked is what was ever wanted: it is counted for a while longer.
	asked []slipwayv1.DeviceRequest
}

// TestDeltas: whatever changes in whatever order, it is counted as if there had never been
// anything else, and what is different now is told.
func TestDeltas(t *testing.T) {
	for seed := range uint64(25) {
		s := &site{rand.New(rand.NewPCG(seed, 5)), New(), map[string]*resourcev1.DeviceClass{},
			map[string]*resourcev1.ResourceSlice{}, map[string]*resourcev1.ResourceClaim{}, map[string][]slipwayv1.DeviceRequest{}, nil}
		told := s.counts(s.census)
		for range 60 {
			for range 1 + s.IntN(3) {
				s.change()
			}
			changes := s.census.Refresh()
			now := s.counts(s.census)
			if diff := cmp.Diff(s.counts(s.anew()), now); diff != "" {
				t.Fatalf("seed %d (-counted anew +by what changed):\n%s", seed, diff)
			}
			for what, n := range now {
				if !reflect.DeepEqual(n, told[what]) && !changes.tell(what) {
					t.Fatalf("seed %d: of %v, which is %v and was %v, nothing is told: %+v", seed, what, n, told[what], changes)
				}
			}
			told = now
		}
	}
}

// subject of a count: a node, a claim or a gang.
type subject struct{ node, claim, gang string }

func (c *Changes) tell(what subject) bool {
	return slices.Contains(c.Nodes, what.node) || slices.Contains(c.Claims, types.UID(what.claim)) || what.gang != "" && c.Names
}

// counts of a census, of all that it could be asked about.
func (s *site) counts(c *Census) map[subject]any {
	counts := map[subject]any{}
	for i := range 4 {
		node, claim := s.node(i), types.UID(fmt.Sprint("c", i))
		counts[subject{node: node}] = c.On(node)
		on, taken := c.Taken(claim)
		counts[subject{claim: string(claim)}] = []any{on, taken}
	}
	for i := range 3 { // a new gang is asked about when it comes, so that nobody need be told
		requests := []slipwayv1.DeviceRequest{ask(s.class(i), 1), ask(s.class(i), 2)}
		asked, err := c.Resources(requests) // which device a selector fails on is any of those
		counts[subject{gang: s.class(i)}] = []any{asked, err != nil}
	}
	return counts
}

// anew is a census that hears of what there is, in any order.
func (s *site) anew() *Census {
	c := New()
	all := []func(){func() { c.Want("", s.asked) }}
	for _, o := range s.classes {
		all = append(all, func() { c.SetClass(o) })
	}
	for _, o := range s.slices {
		all = append(all, func() { c.SetSlice(o) })
	}
	for _, o := range s.claims {
		all = append(all, func() { c.SetClaim(o) })
	}
	for gang, requests := range s.gangs {
		all = append(all, func() { c.Want(gang, requests) })
	}
	s.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, tell := range all {
		tell()
	}
	c.Want("", nil)
	c.Refresh()
	return c
}

func (s *site) node(i int) string  { return fmt.Sprint("n", i) }
func (s *site) class(i int) string { return []string{"gpu", "h100", "large"}[i] }

// change something.
func (s *site) change() {
	switch s.IntN(6) {
	case 0:
		o := class(s.class(s.IntN(3)), []string{anyGPU, isH100, isA100, large, `device.attributes["gpu.example.com"].rare == "x"`}[s.IntN(5)])
		s.classes[o.Name] = o
		s.census.SetClass(o)
		if s.IntN(4) == 0 {
			delete(s.classes, o.Name)
			s.census.DeleteClass(o.Name)
		}
	case 1, 2:
		o := s.slice()
		if old := s.slices[o.Name]; old != nil && s.IntN(3) == 0 {
			delete(s.slices, o.Name)
			s.census.DeleteSlice(old)
			return
		}
		s.slices[o.Name] = o
		s.census.SetSlice(o)
	case 3, 4:
		name := fmt.Sprint("c", s.IntN(4))
		if s.claims[name] != nil { // of one device at a time there is one claim
			delete(s.claims, name)
			s.census.DeleteClaim(types.UID(name))
			return
		}
		s.claims[name] = claim(name, s.node(int(name[1]-'0')), []string{"0", "1", "2"}[:s.IntN(4)]...)
		s.census.SetClaim(s.claims[name])
	case 5:
		gang := fmt.Sprint("g", s.IntN(3))
		delete(s.gangs, gang)
		if s.IntN(3) > 0 {
			s.gangs[gang] = []slipwayv1.DeviceRequest{ask(s.class(s.IntN(3)), 1, []string{large, isA100}[s.IntN(2)])}
			s.asked = append(s.asked, s.gangs[gang]...)
		}
		s.census.Want(gang, s.gangs[gang])
	}
}

// slice of a node, all of its pool or half, some of its devices tainted or shared.
func (s *site) slice() *resourcev1.ResourceSlice {
	node, part := s.node(s.IntN(4)), s.IntN(2)
	var list []resourcev1.Device
	for i := range s.IntN(4) {
		list = append(list, gpu(fmt.Sprint(i), []string{"h100", "a100", "t4"}[s.IntN(3)], []string{"40Gi", "80Gi"}[s.IntN(2)], func(d *resourcev1.Device) {
			if s.IntN(6) == 0 {
				d.Taints = []resourcev1.DeviceTaint{{Key: "broken", Effect: resourcev1.DeviceTaintEffectNoSchedule}}
			}
			if s.IntN(8) == 0 {
				d.AllowMultipleAllocations = ptr.To(true)
			}
			if s.IntN(8) == 0 {
				d.Attributes = maps.Clone(d.Attributes)
				d.Attributes["rare"] = resourcev1.DeviceAttribute{StringValue: ptr.To("x")}
			}
		}))
	}
	return slice(node, list, func(o *resourcev1.ResourceSlice) {
		o.Name = fmt.Sprint(node, "-", part)
		o.Spec.Pool.Generation, o.Spec.Pool.ResourceSliceCount = int64(1+s.IntN(2)), int64(1+s.IntN(3)/2)
	})
}
