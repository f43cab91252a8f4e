// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"context"
	"fmt"

	schedulingv1 "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Priority of a PriorityClass, as admission resolves it for pods; without a name that
// of the default class or, without one, zero. It is nil when the class does not exist.
type Priority func(name string) (*int32, error)

// PriorityIn the cluster of a reader.
func PriorityIn(ctx context.Context, r client.Reader) Priority {
	return func(name string) (*int32, error) {
		if name == "" {
			var classes schedulingv1.PriorityClassList
			if err := r.List(ctx, &classes); err != nil {
				return nil, fmt.Errorf("listing priority classes: %w", err)
			}
			return ptr.To(defaultPriority(classes.Items)), nil
		}
		var class schedulingv1.PriorityClass
		err := r.Get(ctx, client.ObjectKey{Name: name}, &class)
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading priority class %s: %w", name, err)
		}
		return &class.Value, nil
	}
}

// PriorityOf classes that are at hand; of those of one name the last counts.
func PriorityOf(classes []schedulingv1.PriorityClass) Priority {
	return func(name string) (priority *int32, _ error) {
		if name == "" {
			return ptr.To(defaultPriority(classes)), nil
		}
		for i := range classes {
			if classes[i].Name == name {
				priority = &classes[i].Value
			}
		}
		return priority, nil
	}
}

// defaultPriority of several default classes is the lowest, as in admission.
func defaultPriority(classes []schedulingv1.PriorityClass) int32 {
	var lowest *int32
	for i := range classes {
		if c := &classes[i]; c.GlobalDefault && (lowest == nil || c.Value < *lowest) {
			lowest = &c.Value
		}
	}
	return ptr.Deref(lowest, 0)
}
