// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"cmp"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// suspicion is how long a replica that could not be reached is avoided.
const suspicion = 5 * time.Second

// table holds what watches have told of Models and their replicas. To look
// something up costs the same however many there are.
type table struct {
	mu        sync.RWMutex
	endpoints map[types.NamespacedName]*endpoint
}

// endpoint is one Model and its ready replicas. Its fields are guarded by the
// table; the replicas are replaced whole and never changed.
type endpoint struct {
	model    *slipwayv1.Model    // nil while only its slices are known
	slices   map[string][]string // addresses by EndpointSlice
	replicas []*replica
	turn     *atomic.Uint64
}

// replica is one address that answers. It stays the same object for as long as
// any slice lists the address as ready. One that is listed again after it was in
// none, if only between the news of two slices, begins anew.
type replica struct {
	address     string
	outstanding atomic.Int64
	failed      atomic.Int64 // when it could not be reached, in Unix nanoseconds
}

func newTable() *table { return &table{endpoints: map[types.NamespacedName]*endpoint{}} }

// find returns a Model as it is now, and false when there is none.
func (t *table) find(name types.NamespacedName) (endpoint, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e := t.endpoints[name]
	if e == nil || e.model == nil {
		return endpoint{}, false
	}
	return *e, true
}

// count calls do with a Model's name, or with none if there is no such Model
// any more. Until do has returned the Model does not go, so that what do counts
// is there to be forgotten with it.
func (t *table) count(name types.NamespacedName, do func(types.NamespacedName)) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if e := t.endpoints[name]; e == nil || e.model == nil {
		name = types.NamespacedName{}
	}
	do(name)
}

// models lists all Models, by namespace and name.
func (t *table) models() []*slipwayv1.Model {
	t.mu.RLock()
	defer t.mu.RUnlock()
	models := make([]*slipwayv1.Model, 0, len(t.endpoints))
	for _, e := range t.endpoints {
		if e.model != nil {
			models = append(models, e.model)
		}
	}
	slices.SortFunc(models, func(a, b *slipwayv1.Model) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return models
}

// setModel takes a new version of a Model, or nil when it is gone.
func (t *table) setModel(name types.NamespacedName, model *slipwayv1.Model) {
	t.change(name, func(e *endpoint) { e.model = model })
}

// setSlice takes the ready addresses of a new version of an EndpointSlice, or
// none when it is gone.
func (t *table) setSlice(of types.NamespacedName, slice string, addresses []string) {
	t.change(of, func(e *endpoint) {
		if delete(e.slices, slice); len(addresses) > 0 {
			e.slices[slice] = addresses
		}
		e.replicas = merge(e.replicas, e.slices)
	})
}

func (t *table) change(name types.NamespacedName, do func(*endpoint)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.endpoints[name]
	if e == nil {
		e = &endpoint{slices: map[string][]string{}, turn: new(atomic.Uint64)}
		t.endpoints[name] = e
	}
	if do(e); e.model == nil && len(e.slices) == 0 {
		delete(t.endpoints, name)
	}
}

// merge is the replicas of all slices, in order of address, those that were
// there before with what is known of them.
func merge(before []*replica, bySlice map[string][]string) []*replica {
	known := make(map[string]*replica, len(before))
	for _, r := range before {
		known[r.address] = r
	}
	var addresses []string
	for _, some := range bySlice {
		addresses = append(addresses, some...)
	}
	slices.Sort(addresses)
	addresses = slices.Compact(addresses)
	after := make([]*replica, len(addresses))
	for i, address := range addresses {
		if after[i] = known[address]; after[i] == nil {
			after[i] = &replica{address: address}
		}
	}
	return after
}

// choose picks a replica that is not among those tried and counts the request
// as its own, or returns nil.
func (e *endpoint) choose(tried []*replica, now time.Time) *replica {
	candidates := make([]candidate, len(e.replicas))
	for i, r := range e.replicas {
		candidates[i] = candidate{
			Outstanding: r.outstanding.Load(),
			Suspect:     now.UnixNano()-r.failed.Load() < int64(suspicion),
			Tried:       slices.Contains(tried, r),
		}
	}
	i := pick(candidates, e.turn.Add(1))
	if i < 0 {
		return nil
	}
	e.replicas[i].outstanding.Add(1)
	return e.replicas[i]
}

// sliceOf is the Model whose replicas an EndpointSlice lists, and false for a
// slice of anything else.
func sliceOf(slice *discoveryv1.EndpointSlice) (types.NamespacedName, bool) {
	model := slice.Labels[slipwayv1.LabelModel]
	ours := model != "" && slice.Labels[discoveryv1.LabelServiceName] == slipwayv1.ModelService(model) &&
		slice.AddressType != discoveryv1.AddressTypeFQDN
	return types.NamespacedName{Namespace: slice.Namespace, Name: model}, ours
}

// readyAddresses are where the ready endpoints of a slice listen. Unknown
// readiness counts as ready, as it does in Kubernetes.
func readyAddresses(slice *discoveryv1.EndpointSlice) []string {
	var addresses []string
	for _, port := range slice.Ports {
		if port.Name == nil || *port.Name != slipwayv1.ModelPortName || port.Port == nil {
			continue
		}
		for _, e := range slice.Endpoints {
			if ready := e.Conditions.Ready; len(e.Addresses) > 0 && (ready == nil || *ready) {
				addresses = append(addresses, net.JoinHostPort(e.Addresses[0], strconv.Itoa(int(*port.Port))))
			}
		}
	}
	return addresses
}
