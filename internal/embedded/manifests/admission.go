// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// admissionInterval is how often a job is offered until it is taken.
const admissionInterval = 100 * time.Millisecond

// AwaitAdmission returns when the API server follows the policies about custom kinds:
// when a job that is offered to it comes back with its maker's name. It tells nobody
// when that is.
func (a *Applier) AwaitAdmission(ctx context.Context) error {
	jobs := a.client.Resource(schema.GroupVersionResource{Group: "kubeflow.org", Version: "v1", Resource: "pytorchjobs"})
	ticker := time.NewTicker(admissionInterval)
	defer ticker.Stop()
	for {
		offered := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "metadata": map[string]any{"name": "offered"},
			"spec": map[string]any{"pytorchReplicaSpecs": map[string]any{}},
		}}
		taken, err := jobs.Namespace(metav1.NamespaceDefault).Create(ctx, offered, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err == nil && taken.GetAnnotations()[slipwayv1.AnnotationUser] != "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the admission policies to be followed: %w", errors.Join(context.Cause(ctx), err))
		case <-ticker.C:
		}
	}
}
