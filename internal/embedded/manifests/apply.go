// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// owner is the field manager of what is applied here.
const owner = "slipway"

// Applier applies objects to one cluster.
type Applier struct{ client dynamic.Interface }

// NewApplier connects with a kubeconfig.
func NewApplier(kubeconfig string) (*Applier, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", kubeconfig, err)
	}
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = -1, -1
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

// AwaitSchemas returns when the API server serves all of the definitions.
func (a *Applier) AwaitSchemas(ctx context.Context, definitions []*unstructured.Unstructured) error {
	crds := a.client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	for _, d := range definitions {
		byName := fields.OneTermEqualSelector("metadata.name", d.GetName()).String()
		w, err := crds.Watch(ctx, metav1.ListOptions{FieldSelector: byName})
		if err != nil {
			return fmt.Errorf("watching %s: %w", d.GetName(), err)
		}
		err = awaitEstablished(ctx, w)
		w.Stop()
		if err != nil {
			return fmt.Errorf("waiting for %s to be served: %w", d.GetName(), err)
		}
	}
	return nil
}

func awaitEstablished(ctx context.Context, w watch.Interface) error {
	for {
		select {
		case event, open := <-w.ResultChan():
			if !open {
				return fmt.Errorf("the watch ended")
			}
			if o, ok := event.Object.(*unstructured.Unstructured); ok && established(o) {
				return nil
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func established(o *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		if condition, ok := c.(map[string]any); ok && condition["type"] == "Established" {
			return strings.EqualFold(fmt.Sprint(condition["status"]), "true")
		}
	}
	return false
}
