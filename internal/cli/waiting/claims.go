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
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

// Templates of resource claims, which tell what pods claim.
type Templates map[client.ObjectKey]*resourcev1.ResourceClaimTemplate

// readTemplates of a namespace or, where none is named, of all, if any of the pods claims
// something. Who may not read them, and a cluster without any, has none.
func readTemplates(ctx context.Context, r client.Reader, namespace string, pods []corev1.Pod) (Templates, error) {
	if !slices.ContainsFunc(pods, func(p corev1.Pod) bool { return len(p.Spec.ResourceClaims) > 0 }) {
		return nil, nil
	}
	var list resourcev1.ResourceClaimTemplateList
	err := r.List(ctx, &list, client.InNamespace(namespace))
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing resource claim templates: %w", err)
	}
	templates := Templates{}
	for i := range list.Items {
		templates[client.ObjectKeyFromObject(&list.Items[i])] = &list.Items[i]
	}
	return templates, nil
}

// Claimed by a pod as far as the templates tell. What it claims by name they do not, nor what a
// claim was made of before they were changed: see scheduler.Decided.Claimed.
func (t Templates) Claimed(p *corev1.Pod) []slipwayv1.DeviceRequest {
	var all []slipwayv1.DeviceRequest
	for i := range p.Spec.ResourceClaims {
		claim := &p.Spec.ResourceClaims[i]
		requests, _ := podset.Claimed(claim, t[client.ObjectKey{Namespace: p.Namespace, Name: ptr.Deref(claim.ResourceClaimTemplateName, "")}])
		all = append(all, requests...)
	}
	return all
}
