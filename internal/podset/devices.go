// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Devices that pods of a template claim.
type Devices struct {
	// Requests of one pod, in the order of its claims.
	Requests []slipwayv1.DeviceRequest
	// Problems are what is not there, or cannot be counted, and what to do, keyed by the field
	// that asks for it.
	Problems map[string]string
}

// ServesDevices says whether the cluster hands devices out by claims.
func ServesDevices(mapper meta.RESTMapper) bool {
	_, err := mapper.RESTMapping(schema.GroupKind{Group: resourcev1.GroupName, Kind: "ResourceSlice"}, resourcev1.SchemeGroupVersion.Version)
	return err == nil
}

// FindDevices of the claim templates that a pod template names, whose pod spec is at a path.
func FindDevices(ctx context.Context, cached, live client.Reader, namespace, path string, spec *corev1.PodSpec) (Devices, error) {
	out := Devices{Problems: map[string]string{}}
	f := finder{cached, live}
	for i, claim := range spec.ResourceClaims {
		field := fmt.Sprintf("%s.resourceClaims[%d]", path, i)
		requests, problem, err := f.requests(ctx, namespace, &claim)
		if err != nil {
			return out, err
		}
		if problem != "" {
			out.Problems[field] = field + problem
		}
		out.Requests = append(out.Requests, requests...)
	}
	return out, nil
}

// requests of one claim of a pod, or what is wrong with it.
func (f finder) requests(ctx context.Context, namespace string, claim *corev1.PodResourceClaim) ([]slipwayv1.DeviceRequest, string, error) {
	name := ptr.Deref(claim.ResourceClaimTemplateName, "")
	var template *resourcev1.ResourceClaimTemplate
	if name != "" {
		template = &resourcev1.ResourceClaimTemplate{}
		switch err := f.find(ctx, client.ObjectKey{Namespace: namespace, Name: name}, template); {
		case meta.IsNoMatchError(err):
			return nil, fmt.Sprintf(": this cluster does not serve %s; ask for an extended resource", resourcev1.SchemeGroupVersion), nil
		case apierrors.IsNotFound(err):
			template = nil
		case err != nil:
			return nil, "", fmt.Errorf("reading claim template %s: %w", name, err)
		}
	}
	requests, problem := Claimed(claim, template)
	return requests, problem, nil
}
