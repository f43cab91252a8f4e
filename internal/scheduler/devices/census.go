// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package devices

import (
	"slices"

	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Census of the devices of a cluster. It is told of changes one by one, and finds out what
// they mean for nodes and claims all at once ([Census.Refresh]). It is not safe for concurrent
// use, and keeps the objects that it is told of.
type Census struct {
	// kinds by the name of their resource, and by number.
	kinds   map[string]*kind
	numbers [maxKinds]*kind
	// wanted are the narrower kinds that each gang asks for; idle are those that none does,
	// longest first.
	wanted map[string][]string
	idle   []string

	names names
	pools map[poolID]*pool
	// slicePools are the pools of slices, by the names of these.
	slicePools map[string]poolID
	devices    map[ID]*device
	nodes      map[string][]*device
	claims     map[types.UID][]ID
	holders    map[ID]types.UID

	// counted is how many devices are of the same kinds, excluded likewise those that are not
	// counted.
	counted  map[kinds]int
	excluded map[exclusion]int
	// structure is what the names of resources depend on, and unions is made of it.
	structure structure
	unions    []union
	// resources that a device of certain kinds is counted as.
	resources map[kinds][]string

	// What is to be found out, or to be told: pools whose slices changed, that kinds did, nodes
	// and claims about which something is new.
	stalePools map[poolID]bool
	staleKinds bool
	newNodes   map[string]bool
	newClaims  map[types.UID]bool
}

// New census of a cluster without devices.
func New() *Census {
	return &Census{
		kinds: map[string]*kind{}, wanted: map[string][]string{},
		names: names{}, pools: map[poolID]*pool{}, slicePools: map[string]poolID{}, devices: map[ID]*device{}, nodes: map[string][]*device{},
		claims: map[types.UID][]ID{}, holders: map[ID]types.UID{}, resources: map[kinds][]string{},
		counted: map[kinds]int{}, excluded: map[exclusion]int{},
		stalePools: map[poolID]bool{}, newNodes: map[string]bool{}, newClaims: map[types.UID]bool{},
	}
}

// Stale says that there is something to find out by [Census.Refresh].
func (c *Census) Stale() bool {
	return c.staleKinds || len(c.stalePools)+len(c.newNodes)+len(c.newClaims) > 0
}

// SetClass tells of a class that was made or changed.
func (c *Census) SetClass(o *resourcev1.DeviceClass) {
	if old := c.kinds[string(ResourceName(o.Name))]; old == nil || !slices.Equal(old.expressions, expressionsOf(o.Spec.Selectors)) {
		c.replace(ofClass(o))
	}
}

// DeleteClass tells that a class is gone.
func (c *Census) DeleteClass(name string) { c.drop(string(ResourceName(name))) }

// SetSlice tells of a slice that was made or changed. The slice is kept.
func (c *Census) SetSlice(o *resourcev1.ResourceSlice) {
	id := poolOf(o)
	if before, known := c.slicePools[o.Name]; known && before != id {
		c.leavePool(o.Name, before) // It was made again, and nobody saw it gone.
	}
	c.slicePools[o.Name] = id
	if c.pools[id] == nil {
		c.pools[id] = &pool{slices: map[string]*resourcev1.ResourceSlice{}}
	}
	c.pools[id].slices[o.Name] = o
	c.stalePools[id] = true
}

// DeleteSlice tells that a slice is gone.
func (c *Census) DeleteSlice(o *resourcev1.ResourceSlice) {
	id, known := c.slicePools[o.Name]
	if !known {
		return
	}
	delete(c.slicePools, o.Name)
	c.leavePool(o.Name, id)
}

func (c *Census) leavePool(slice string, id poolID) {
	if p := c.pools[id]; p != nil {
		delete(p.slices, slice)
		c.stalePools[id] = true
	}
}

// SetClaim tells which devices a claim has, if any.
func (c *Census) SetClaim(o *resourcev1.ResourceClaim) {
	held := heldBy(o)
	if slices.Equal(c.claims[o.UID], held) {
		return
	}
	c.DeleteClaim(o.UID)
	if len(held) == 0 {
		return
	}
	c.claims[o.UID], c.newClaims[o.UID] = held, true
	for _, id := range held {
		c.holders[id] = o.UID
		c.hold(id, true)
	}
}

// DeleteClaim tells that a claim is gone.
func (c *Census) DeleteClaim(uid types.UID) {
	for _, id := range c.claims[uid] {
		if c.holders[id] == uid {
			delete(c.holders, id)
			c.hold(id, false)
		}
	}
	if _, known := c.claims[uid]; known {
		delete(c.claims, uid)
		c.newClaims[uid] = true
	}
}

// hold a device, which makes a difference to the node where it is tainted.
func (c *Census) hold(id ID, held bool) {
	if d := c.devices[id]; d != nil {
		if d.held = held; d.tainted {
			c.newNodes[d.node] = true
		}
	}
}

// heldBy a claim are the devices that nobody else can have now.
func heldBy(o *resourcev1.ResourceClaim) []ID {
	if o.Status.Allocation == nil {
		return nil
	}
	var held []ID
	for _, r := range o.Status.Allocation.Devices.Results {
		if shared := r.AdminAccess != nil && *r.AdminAccess || r.ShareID != nil; !shared {
			held = append(held, ID{r.Driver, r.Pool, r.Device})
		}
	}
	return held
}

// Want tells what the pods of a gang ask for, or with nothing that it asks no more.
func (c *Census) Want(gang string, requests []slipwayv1.DeviceRequest) {
	before := c.wanted[gang]
	delete(c.wanted, gang)
	for i := range requests {
		r := &requests[i]
		if len(r.Selectors) == 0 {
			continue
		}
		name := NameOf(r)
		if c.kinds[name] == nil {
			c.replace(ofRequest(r))
		}
		if c.kinds[name].users++; c.kinds[name].users == 1 {
			c.idle = slices.DeleteFunc(c.idle, func(idle string) bool { return idle == name })
		}
		c.wanted[gang] = append(c.wanted[gang], name)
	}
	for _, name := range before {
		if c.kinds[name].users--; c.kinds[name].users == 0 {
			c.idle = append(c.idle, name)
		}
	}
	for len(c.idle) > maxIdle {
		c.drop(c.idle[0])
	}
}

// maxIdle kinds are kept that nobody asks for, because the next gang is often like the last.
const maxIdle = 8

// replace a kind, or add it.
func (c *Census) replace(k *kind) {
	if old := c.kinds[k.name]; old != nil {
		k.number, k.users = old.number, old.users
	} else {
		k.number = c.number()
	}
	c.kinds[k.name] = k
	c.enter(k)
}

// enter a kind by its number, if it has one.
func (c *Census) enter(k *kind) {
	if c.staleKinds = true; k.number >= 0 {
		c.numbers[k.number], k.stale = k, true
	}
	c.staleBelow(k)
}

// staleBelow a class are the kinds narrower than it.
func (c *Census) staleBelow(k *kind) {
	for _, other := range c.kinds {
		other.stale = other.stale || !k.narrower && other.narrower && other.class == k.class
	}
}

// number that is free, or else one of a request that nobody makes any more; negative for
// none.
func (c *Census) number() int {
	for slices.Index(c.numbers[:], nil) < 0 && len(c.idle) > 0 {
		c.drop(c.idle[0])
	}
	return slices.Index(c.numbers[:], nil)
}

// drop a kind.
func (c *Census) drop(name string) {
	k := c.kinds[name]
	if k == nil {
		return
	}
	delete(c.kinds, name)
	c.idle = slices.DeleteFunc(c.idle, func(idle string) bool { return idle == name })
	c.staleKinds = true
	if k.number < 0 {
		return
	}
	c.numbers[k.number] = nil
	one := kinds{}.with(k.number)
	for _, d := range c.devices {
		c.resort(d, func() { d.of, d.failed = d.of.without(one), d.failed.without(one) })
	}
	c.staleBelow(k)
}
