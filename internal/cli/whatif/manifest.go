// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package whatif

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/batch"
	"slipway.dev/slipway/internal/podset"
	"slipway.dev/slipway/internal/training"
)

// Submitted is what manifests say that somebody would submit.
type Submitted struct {
	Gangs []*slipwayv1.Gang
	// Warnings of what is taken otherwise than it is written, a line each.
	Warnings []string
}

// Submissions are the gangs that manifests are, or that they would become as jobs, with the
// priority classes of the manifests and, after these, of the cluster. The error is about the
// manifest of that number.
func (c *Cluster) Submissions(manifests []*unstructured.Unstructured, scheme *runtime.Scheme) (out Submitted, at int, err error) {
	var classes []schedulingv1.PriorityClass
	for _, class := range c.snapshot.Priorities {
		classes = append(classes, *class)
	}
	typed := make([]runtime.Object, len(manifests))
	for i, manifest := range manifests {
		if typed[i], err = scheme.New(manifest.GroupVersionKind()); err != nil {
			return out, i, cannot(manifest)
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(manifest.Object, typed[i]); err != nil {
			return out, i, err
		}
		if class, is := typed[i].(*schedulingv1.PriorityClass); is {
			classes = append(classes, *class)
		}
	}
	for i, manifest := range manifests {
		if _, is := typed[i].(*schedulingv1.PriorityClass); is {
			continue
		}
		gang, noClass, err := GangOf(typed[i], podset.PriorityOf(classes))
		switch {
		case err != nil:
			return out, i, err
		case gang == nil:
			return out, i, cannot(manifest)
		}
		out.Gangs = append(out.Gangs, gang)
		for _, warning := range podset.TermWarnings(manifest) {
			out.Warnings = append(out.Warnings, fmt.Sprintf("%s %s: %s", manifest.GetKind(), manifest.GetName(), warning))
		}
		for _, name := range noClass {
			out.Warnings = append(out.Warnings, fmt.Sprintf("there is no PriorityClass %s, which %s %s names: it is simulated with priority %d; give the class with --file, too",
				name, manifest.GetKind(), manifest.GetName(), gang.Spec.Priority))
		}
	}
	return out, 0, nil
}

// GangOf a manifest, and the priority classes that it names and that there are not; nil for what
// becomes none.
func GangOf(manifest runtime.Object, priority podset.Priority) (gang *slipwayv1.Gang, noClass []string, err error) {
	switch typed := manifest.(type) {
	case *slipwayv1.Gang:
		return typed, nil, nil
	case *batchv1.Job:
		return batch.GangOf(typed, priority)
	case client.Object:
		gang, noClass, _, err = training.GangOf(typed, priority)
	}
	return gang, noClass, err
}

func cannot(manifest *unstructured.Unstructured) error {
	return fmt.Errorf("%s %s cannot be simulated; give a Gang, a Job or a PyTorchJob, and the PriorityClasses that they name", manifest.GetKind(), manifest.GetName())
}
