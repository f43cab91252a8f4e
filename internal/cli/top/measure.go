// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package top

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Measure what nodes use, as the metrics API says; nil where that is not served, or not to
// whoever asks.
func Measure(ctx context.Context, c client.Reader) (Usage, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "metrics.k8s.io", Version: "v1beta1", Kind: "NodeMetricsList"})
	err := c.List(ctx, list)
	switch {
	case meta.IsNoMatchError(err), apierrors.IsNotFound(err), apierrors.IsForbidden(err), apierrors.IsServiceUnavailable(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("asking the metrics API: %w", err)
	}
	usage := Usage{}
	for _, item := range list.Items {
		measured, _, _ := unstructured.NestedStringMap(item.Object, "usage")
		amounts := corev1.ResourceList{}
		for name, text := range measured {
			if q, err := resource.ParseQuantity(text); err == nil {
				amounts[corev1.ResourceName(name)] = q
			}
		}
		usage[item.GetName()] = amounts
	}
	return usage, nil
}
