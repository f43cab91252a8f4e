// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package whatif

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/batch"
	"slipway.dev/slipway/internal/training"
)

// GangOf is the gang that a manifest is, or that it would become as a job.
func GangOf(manifest *unstructured.Unstructured, scheme *runtime.Scheme) (*slipwayv1.Gang, error) {
	typed, err := scheme.New(manifest.GroupVersionKind())
	if err != nil {
		return nil, cannot(manifest)
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(manifest.Object, typed); err != nil {
		return nil, err
	}
	switch typed := typed.(type) {
	case *slipwayv1.Gang:
		return typed, nil
	case *batchv1.Job:
		return batch.GangOf(typed)
	}
	if object, is := typed.(client.Object); is {
		if gang, is, err := training.GangOf(object); is {
			return gang, err
		}
	}
	return nil, cannot(manifest)
}

func cannot(manifest *unstructured.Unstructured) error {
	return fmt.Errorf("%s %s cannot be simulated; give a Gang, a Job or a PyTorchJob", manifest.GetKind(), manifest.GetName())
}
