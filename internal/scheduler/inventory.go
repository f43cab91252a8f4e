// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler/devices"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// inventory puts devices and the claims that have them as placement is told of them: as
// resources of nodes and gangs, and as what takes those.
type inventory struct {
	*devices.Census
	// owners of the claims that have devices, and the claims of each pod.
	owners map[types.UID]owner
	claims map[types.UID]map[types.UID]bool
	// templates that claims of pods are made of, and the claims themselves.
	templates map[types.NamespacedName]*resourcev1.ResourceClaimTemplate
	named     map[types.NamespacedName]*resourcev1.ResourceClaim
}

// owner of a claim: the pod that it is reserved for, and its rank in a gang, as far as that
// is known.
type owner struct {
	pod       types.UID
	gang, set string
	rank      int32
}

func newInventory() inventory {
	return inventory{devices.New(), map[types.UID]owner{}, map[types.UID]map[types.UID]bool{},
		map[types.NamespacedName]*resourcev1.ResourceClaimTemplate{}, map[types.NamespacedName]*resourcev1.ResourceClaim{}}
}

// set an object of resource.k8s.io.
func (v *inventory) set(o client.Object) {
	switch o := o.(type) {
	case *resourcev1.DeviceClass:
		v.SetClass(o)
	case *resourcev1.ResourceSlice:
		v.SetSlice(o)
	case *resourcev1.ResourceClaim:
		v.own(o)
		v.SetClaim(o)
		v.named[client.ObjectKeyFromObject(o)] = o
	case *resourcev1.ResourceClaimTemplate:
		v.templates[client.ObjectKeyFromObject(o)] = o
	}
}

// remove one that is gone.
func (v *inventory) remove(o client.Object) {
	switch o := o.(type) {
	case *resourcev1.DeviceClass:
		v.DeleteClass(o.Name)
	case *resourcev1.ResourceSlice:
		v.DeleteSlice(o)
	case *resourcev1.ResourceClaim:
		v.disown(o.UID)
		v.DeleteClaim(o.UID)
		if key := client.ObjectKeyFromObject(o); v.named[key] != nil && v.named[key].UID == o.UID {
			delete(v.named, key)
		}
	case *resourcev1.ResourceClaimTemplate:
		delete(v.templates, client.ObjectKeyFromObject(o))
	}
}

// inventoryOf a snapshot.
func inventoryOf(s *snapshot.Snapshot) inventory {
	v := newInventory()
	for o := range s.Objects() {
		v.set(o)
	}
	for _, g := range s.Gangs {
		v.want(g)
	}
	for _, p := range s.Pods {
		v.introduce(p, keyOfGroup(p))
	}
	v.Refresh()
	return v
}

// give pods what their claims take, and list that of other claims by itself.
func (v *inventory) give(pods []placement.Pod, claims []*resourcev1.ResourceClaim) []placement.Pod {
	at := map[string]int{}
	for i := range pods {
		at[pods[i].Key] = i
	}
	for _, c := range claims {
		told, takes := v.taken(c.UID)
		i, is := at[string(v.owners[c.UID].pod)]
		switch {
		case takes && is:
			for name, n := range told.Requests {
				pods[i].Requests[name] += n
			}
		case takes:
			pods = append(pods, told)
		}
	}
	return pods
}

// own takes note of whom a claim is for. It stays that pod's when the pod is gone, until
// its devices are free.
func (v *inventory) own(o *resourcev1.ResourceClaim) {
	i := slices.IndexFunc(o.Status.ReservedFor, func(r resourcev1.ResourceClaimConsumerReference) bool {
		return r.APIGroup == corev1.GroupName && r.Resource == "pods"
	})
	if i < 0 {
		return
	}
	pod := o.Status.ReservedFor[i].UID
	if v.owners[o.UID].pod == pod {
		return
	}
	v.disown(o.UID)
	v.owners[o.UID] = owner{pod: pod}
	if v.claims[pod] == nil {
		v.claims[pod] = map[types.UID]bool{}
	}
	v.claims[pod][o.UID] = true
}

func (v *inventory) disown(claim types.UID) {
	pod := v.owners[claim].pod
	delete(v.owners, claim)
	if delete(v.claims[pod], claim); len(v.claims[pod]) == 0 {
		delete(v.claims, pod)
	}
}

// introduce a pod to the claims that are reserved for it, and return those to which it was
// another before. Without a Gang it is of a group, or of none.
func (v *inventory) introduce(p *corev1.Pod, group string) []types.UID {
	var news []types.UID
	for claim := range v.claims[p.UID] {
		next := owner{pod: p.UID, gang: group}
		if gang := p.Labels[slipwayv1.LabelGang]; gang != "" {
			next.gang = keyOf(p.Namespace, gang)
			next.set, next.rank = rankOf(p)
		}
		if v.owners[claim] != next {
			v.owners[claim] = next
			news = append(news, claim)
		}
	}
	return news
}

// keyOfGroup is of the gang of a pod that this scheduler sees to; empty for any other.
func keyOfGroup(p *corev1.Pod) string {
	if !isOurs(p) {
		return ""
	}
	return groupingOf(p).key
}

// node with its devices.
func (v *inventory) node(n *corev1.Node) placement.Node {
	told := nodeOf(n)
	maps.Copy(told.Allocatable, v.On(n.Name))
	return told
}

// want what the pods of a gang ask for.
func (v *inventory) want(g *slipwayv1.Gang) {
	var all []slipwayv1.DeviceRequest
	for i := range g.Spec.PodSets {
		all = append(all, g.Spec.PodSets[i].Devices...)
	}
	v.Want(keyOf(g.Namespace, g.Name), all)
}

// gang with the devices that its pods ask for, or what about it cannot be followed. What is
// wrong with its devices alone is told of it nevertheless, for one that has its places.
func (v *inventory) gang(g *slipwayv1.Gang) (asked placement.Gang, problem, err error) {
	asked, err = gangOf(g)
	if err != nil {
		return asked, nil, err
	}
	for i := range asked.Sets {
		set := &g.Spec.PodSets[i]
		if len(set.Devices) == 0 {
			continue
		}
		resources, wrong := v.Resources(set.Devices)
		maps.Copy(asked.Sets[i].Shape.Requests, resources)
		if wrong != nil && problem == nil {
			problem = fmt.Errorf("pod set %q: %w", set.Name, wrong)
		}
	}
	return asked, problem, nil
}

// taken by a claim, as placement is told of it; false for none.
func (v *inventory) taken(claim types.UID) (placement.Pod, bool) {
	node, taken := v.Taken(claim)
	o := v.owners[claim]
	return placement.Pod{
		Key: string(claim), Node: node, Gang: o.gang, Set: o.set, Rank: o.rank, Requests: taken, Claim: true,
	}, len(taken) > 0
}

// devices as resources, or why they cannot be had.
func (v *inventory) devices(requests []slipwayv1.DeviceRequest) (placement.Resources, string) {
	if len(requests) == 0 {
		return nil, ""
	}
	resources, wrong := v.Resources(requests)
	if wrong != nil {
		return resources, "spec.resourceClaims: " + wrong.Error()
	}
	return resources, ""
}

// asksDevices says whether pods of a gang claim any.
func asksDevices(g *slipwayv1.Gang) bool {
	return slices.ContainsFunc(g.Spec.PodSets, func(s slipwayv1.PodSet) bool { return len(s.Devices) > 0 })
}
