// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package waiting

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

// Claims of devices, and the templates that more are made of, which tell what pods claim.
type Claims struct {
	templates map[client.ObjectKey]*resourcev1.ResourceClaimTemplate
	made      map[client.ObjectKey]*resourcev1.ResourceClaim
	// counted is for which pod Claimed counted a claim that is reserved for none yet.
	counted map[client.ObjectKey]types.UID
}

// NewClaims of a list of each.
func NewClaims(templates []resourcev1.ResourceClaimTemplate, made []resourcev1.ResourceClaim) *Claims {
	c := &Claims{map[client.ObjectKey]*resourcev1.ResourceClaimTemplate{}, map[client.ObjectKey]*resourcev1.ResourceClaim{}, map[client.ObjectKey]types.UID{}}
	for i := range templates {
		c.templates[client.ObjectKeyFromObject(&templates[i])] = &templates[i]
	}
	for i := range made {
		c.made[client.ObjectKeyFromObject(&made[i])] = &made[i]
	}
	return c
}

// readClaims of a namespace or, where none is named, of all, if any of the pods claims
// something. Who may not read them, and a cluster without any, has none.
func readClaims(ctx context.Context, r client.Reader, namespace string, pods []corev1.Pod) (*Claims, error) {
	var templates resourcev1.ResourceClaimTemplateList
	var made resourcev1.ResourceClaimList
	if slices.ContainsFunc(pods, func(p corev1.Pod) bool { return len(p.Spec.ResourceClaims) > 0 }) {
		for _, list := range []client.ObjectList{&templates, &made} {
			err := r.List(ctx, list, client.InNamespace(namespace))
			if err != nil && !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
				return nil, fmt.Errorf("listing resource claims: %w", err)
			}
		}
	}
	return NewClaims(templates.Items, made.Items), nil
}

// Claimed by a pod: what its claims have or ask for, or as long as they are not made their
// templates. A claim that several pods share counts for one of them, as the scheduler counts it; as
// long as it is reserved for none, that is the first for which this is called.
func (c *Claims) Claimed(p *corev1.Pod) []slipwayv1.DeviceRequest {
	var all []slipwayv1.DeviceRequest
	for i := range p.Spec.ResourceClaims {
		of := &p.Spec.ResourceClaims[i]
		key := client.ObjectKey{Namespace: p.Namespace, Name: podset.ClaimName(p, of)}
		var requests []slipwayv1.DeviceRequest
		switch claim := c.made[key]; {
		case claim == nil:
			template := client.ObjectKey{Namespace: p.Namespace, Name: ptr.Deref(of.ResourceClaimTemplateName, "")}
			requests, _ = podset.Claimed(of, c.templates[template])
		case c.countsFor(p, claim):
			requests, _ = podset.Asked(claim)
		}
		all = append(all, requests...)
	}
	return all
}

// countsFor a pod, of those that name the claim: the one for which it is reserved first or, as long
// as it is for none, the first that is asked about, which is noted.
func (c *Claims) countsFor(p *corev1.Pod, claim *resourcev1.ResourceClaim) bool {
	if reserved := claim.Status.ReservedFor; len(reserved) > 0 {
		return reserved[0].UID == p.UID
	}
	key := client.ObjectKeyFromObject(claim)
	if _, is := c.counted[key]; !is {
		c.counted[key] = p.UID
	}
	return c.counted[key] == p.UID
}
