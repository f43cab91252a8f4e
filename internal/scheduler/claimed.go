// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
	"slipway.dev/slipway/internal/scheduler/devices"
)

// A pod claims what its claim says or, as long as there is none, the template that it will be
// made of: the template may have been changed since. Devices that a claim has bind its pods to
// where these are, and count for one of them, for which they are reserved first.

// claimed is what a pod claims.
type claimed struct {
	devices []slipwayv1.DeviceRequest
	// nodes that reach what its claims have, where not all do.
	nodes []*corev1.NodeSelector
	// problem with it, so that it cannot be counted; empty for none.
	problem string
}

func (c *claimed) equal(o *claimed) bool {
	return c.problem == o.problem && sameDevices(c.devices, o.devices) && equality.Semantic.DeepEqual(c.nodes, o.nodes)
}

func sameDevices(a, b []slipwayv1.DeviceRequest) bool { return equality.Semantic.DeepEqual(a, b) }

// claimed by a pod.
func (s *stock) claimed(p *corev1.Pod) claimed {
	var all claimed
	for i := range p.Spec.ResourceClaims {
		one := s.claim(p, &p.Spec.ResourceClaims[i])
		if one.problem != "" {
			return claimed{problem: fmt.Sprintf("spec.resourceClaims[%d]%s", i, one.problem)}
		}
		all.devices = append(all.devices, one.devices...)
		all.nodes = append(all.nodes, one.nodes...)
	}
	return all
}

// claim of a pod; what is wrong with it is to be said after the field that names it.
func (s *stock) claim(p *corev1.Pod, of *corev1.PodResourceClaim) (out claimed) {
	key := types.NamespacedName{Namespace: p.Namespace, Name: podset.ClaimName(p, of)}
	object := s.named[key]
	switch {
	case object == nil && of.ResourceClaimName == nil:
		template := s.templates[types.NamespacedName{Namespace: p.Namespace, Name: ptr.Deref(of.ResourceClaimTemplateName, "")}]
		out.devices, out.problem = podset.Claimed(of, template)
		return out
	case object == nil:
		out.problem = fmt.Sprintf(".resourceClaimName: there is no ResourceClaim %s; make it or name another", key.Name)
		return out
	case object.Status.Allocation == nil:
		if first := s.first(naming{NamespacedName: key}, p.UID); first != "" {
			out.problem = fmt.Sprintf(".resourceClaimName: pod %s names ResourceClaim %s, too, and gets its devices first; wait for that, "+
				"or name a ResourceClaimTemplate in resourceClaimTemplateName, so that each pod gets its own", first, key.Name)
			return out
		}
	default:
		if reach := object.Status.Allocation.NodeSelector; reach != nil {
			out.nodes = append(out.nodes, reach)
		}
		if s.owners[object.UID].pod != p.UID {
			return out // They are another's, and count there.
		}
	}
	out.devices, out.problem = podset.Asked(object)
	return out
}

// overclaims says what a pod claims beyond what a set of its Gang asks for, or why that is not
// known; empty for nothing.
func (l *ledger) overclaims(p *corev1.Pod, planned []slipwayv1.DeviceRequest, gang string) string {
	if len(p.Spec.ResourceClaims) == 0 {
		return ""
	}
	claims := l.stock.claimed(p)
	if claims.problem != "" {
		return claims.problem
	}
	most := countsOf(planned)
	asked := countsOf(claims.devices)
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if asked[name] > most[name] {
			return fmt.Sprintf("spec.resourceClaims: asks for %d %s, and Gang %s for %d; ask for as much in its workload", asked[name], name, gang, most[name])
		}
	}
	return ""
}

// countsOf requests, by the name of what they ask for.
func countsOf(requests []slipwayv1.DeviceRequest) map[string]int64 {
	counts := map[string]int64{}
	for i := range requests {
		counts[devices.NameOf(&requests[i])] += requests[i].Count
	}
	return counts
}
