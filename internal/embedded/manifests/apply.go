// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
)

// owner is the field manager of what is applied here.
const owner = "slipway"

// requestLimit ends a request that an API server, just started, never answers.
const requestLimit = 30 * time.Second

// Applier applies objects to one cluster.
type Applier struct{ client dynamic.Interface }

// NewApplier connects with a kubeconfig.
func NewApplier(kubeconfig string) (*Applier, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", kubeconfig, err)
	}
	config.QPS, config.Burst = -1, -1
	config.Timeout = requestLimit
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &Applier{client}, nil
}

// Apply applies the objects; those of one call must not depend on each other,
// except that a namespace may come with what is in it.
func (a *Applier) Apply(ctx context.Context, objects []*unstructured.Unstructured) error {
	for _, o := range objects {
		if o.GetKind() == "Namespace" {
			if err := a.applyOne(ctx, o); err != nil {
				return err
			}
		}
	}
	errs := make([]error, len(objects))
	var group sync.WaitGroup
	for i, o := range objects {
		group.Go(func() { errs[i] = a.applyOne(ctx, o) })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *Applier) applyOne(ctx context.Context, o *unstructured.Unstructured) error {
	_, err := a.resource(o).Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: owner, Force: true})
	if err != nil {
		return fmt.Errorf("applying %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	return nil
}

// resource finds the endpoint of an object. The kinds are our own few, all
// with regular plurals, so discovery is not asked.
func (a *Applier) resource(o *unstructured.Unstructured) dynamic.ResourceInterface {
	plural, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
	if o.GetNamespace() == "" {
		return a.client.Resource(plural)
	}
	return a.client.Resource(plural).Namespace(o.GetNamespace())
}
