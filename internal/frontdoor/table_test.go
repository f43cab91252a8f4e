// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

func sliceWith(change ...func(*discoveryv1.EndpointSlice)) *discoveryv1.EndpointSlice {
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "model-tiny-x",
			Labels: map[string]string{slipwayv1.LabelModel: "tiny", discoveryv1.LabelServiceName: "model-tiny"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr.To("http"), Port: ptr.To[int32](8000)}},
		Endpoints: []discoveryv1.Endpoint{
			{Addresses: []string{"10.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)}},
			{Addresses: []string{"10.0.0.2"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(false), Serving: ptr.To(true), Terminating: ptr.To(true)}},
			{Addresses: []string{"10.0.0.3"}},
		},
	}
	for _, c := range change {
		c(slice)
	}
	return slice
}

func TestReadyAddresses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*discoveryv1.EndpointSlice)
		want   []string
	}{
		{"ready or unknown", func(*discoveryv1.EndpointSlice) {}, []string{"10.0.0.1:8000", "10.0.0.3:8000"}},
		{"IPv6", func(s *discoveryv1.EndpointSlice) {
			s.Endpoints[0].Addresses[0] = "fd00::1"
			s.Endpoints = s.Endpoints[:1]
		}, []string{"[fd00::1]:8000"}},
		{"another port", func(s *discoveryv1.EndpointSlice) { s.Ports[0].Name = ptr.To("metrics") }, nil},
		{"no port name", func(s *discoveryv1.EndpointSlice) { s.Ports[0].Name = nil }, nil},
		{"any port", func(s *discoveryv1.EndpointSlice) { s.Ports[0].Port = nil }, nil},
		{"no address", func(s *discoveryv1.EndpointSlice) { s.Endpoints = []discoveryv1.Endpoint{{}} }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, readyAddresses(sliceWith(c.change))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSliceOf(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*discoveryv1.EndpointSlice)
		want   bool
	}{
		{"of the model's service", func(*discoveryv1.EndpointSlice) {}, true},
		{"of another service", func(s *discoveryv1.EndpointSlice) { s.Labels[discoveryv1.LabelServiceName] = "mine" }, false},
		{"of no service", func(s *discoveryv1.EndpointSlice) { delete(s.Labels, discoveryv1.LabelServiceName) }, false},
		{"of no model", func(s *discoveryv1.EndpointSlice) { s.Labels = nil }, false},
		{"of names to look up", func(s *discoveryv1.EndpointSlice) { s.AddressType = discoveryv1.AddressTypeFQDN }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			name, got := sliceOf(sliceWith(c.change))
			if got != c.want || got && name.String() != "team/tiny" {
				t.Errorf("got %v, %v", name, got)
			}
		})
	}
}

func TestTable(t *testing.T) {
	table, name := newTable(), types.NamespacedName{Namespace: "team", Name: "tiny"}
	table.setSlice(name, "a", []string{"2:1", "1:1"})
	if _, exists := table.find(name); exists {
		t.Error("slices alone make no model")
	}
	table.setModel(name, &slipwayv1.Model{})
	before, exists := table.find(name)
	if !exists || len(before.replicas) != 2 || before.replicas[0].address != "1:1" {
		t.Fatalf("got %+v, %v", before, exists)
	}
	before.replicas[0].outstanding.Add(1)
	table.setSlice(name, "b", []string{"1:1", "3:1"})
	table.setSlice(name, "a", []string{"2:1"})
	after, _ := table.find(name)
	if len(after.replicas) != 3 || after.replicas[0] != before.replicas[0] {
		t.Errorf("a replica that moved between slices is not the same: %+v", after.replicas)
	}
	if len(before.replicas) != 2 {
		t.Error("what was found before has changed")
	}
	table.setModel(name, nil)
	table.setSlice(name, "a", nil)
	table.setSlice(name, "b", nil)
	if len(table.endpoints) != 0 {
		t.Errorf("what is gone is still held: %v", table.endpoints)
	}
}

func TestChoose(t *testing.T) {
	table, name := newTable(), types.NamespacedName{Namespace: "team", Name: "tiny"}
	table.setModel(name, &slipwayv1.Model{})
	table.setSlice(name, "a", []string{"1:1", "2:1"})
	found, _ := table.find(name)
	now := time.Unix(1000, 0)
	first := found.choose(nil, now)
	second := found.choose(nil, now)
	if first == second {
		t.Error("the busy one was chosen")
	}
	first.outstanding.Add(-1)
	first.failed.Store(now.UnixNano())
	if got := found.choose(nil, now.Add(time.Second)); got != second {
		t.Error("the one that could not be reached was chosen")
	}
	if got := found.choose(nil, now.Add(suspicion+1)); got != first {
		t.Error("suspicion does not end")
	}
	if got := found.choose([]*replica{first, second}, now); got != nil {
		t.Errorf("all were tried, got %v", got.address)
	}
}
