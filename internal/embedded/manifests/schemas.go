// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	toolscache "k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

var definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// AwaitSchemas returns when the API server serves all of the definitions.
func (a *Applier) AwaitSchemas(ctx context.Context, schemas []*unstructured.Unstructured) error {
	waiting := make(map[string]bool, len(schemas))
	for _, s := range schemas {
		waiting[s.GetName()] = true
	}
	crds := a.client.Resource(definitions)
	if err := nudge(ctx, crds, waiting); err != nil {
		return err
	}
	_, err := watchtools.UntilWithSync(ctx, listWatch(crds), &unstructured.Unstructured{}, nil, func(event watch.Event) (bool, error) {
		if o, ok := event.Object.(*unstructured.Unstructured); ok && has(o, "Established") {
			delete(waiting, o.GetName())
		}
		return len(waiting) == 0, nil
	})
	if err != nil {
		return fmt.Errorf("waiting for %v to be served: %w", slices.Sorted(maps.Keys(waiting)), err)
	}
	for _, s := range schemas {
		if err := a.awaitAnswer(ctx, s); err != nil {
			return fmt.Errorf("waiting for %s to be served: %w", s.GetName(), err)
		}
	}
	return nil
}

// answerInterval is how often a kind is asked for until it is answered.
const answerInterval = 20 * time.Millisecond

// awaitAnswer returns when the API server answers for the kind. It says that a
// definition is established a moment before it does what that says.
func (a *Applier) awaitAnswer(ctx context.Context, definition *unstructured.Unstructured) error {
	group, _, _ := unstructured.NestedString(definition.Object, "spec", "group")
	plural, _, _ := unstructured.NestedString(definition.Object, "spec", "names", "plural")
	versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	ticker := time.NewTicker(answerInterval)
	defer ticker.Stop()
	for _, v := range versions {
		version, ok := v.(map[string]any)
		if !ok {
			continue
		}
		kind := schema.GroupVersionResource{Group: group, Version: fmt.Sprint(version["name"]), Resource: plural}
		for {
			_, err := a.client.Resource(kind).List(ctx, metav1.ListOptions{Limit: 1})
			if !apierrors.IsNotFound(err) {
				if err != nil {
					return err
				}
				break
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

// nudge updates the definitions whose names were accepted but which are not
// established. An API server that is killed in between does not take them up
// again after its restart until they are updated.
func nudge(ctx context.Context, crds dynamic.ResourceInterface, waiting map[string]bool) error {
	list, err := crds.List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing schemas: %w", err)
	}
	for _, crd := range list.Items {
		if !waiting[crd.GetName()] || !has(&crd, "NamesAccepted") || has(&crd, "Established") {
			continue
		}
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"slipway.dev/nudged":%q}}}`, time.Now().Format(time.RFC3339Nano))
		if _, err := crds.Patch(ctx, crd.GetName(), types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return fmt.Errorf("updating schema %s: %w", crd.GetName(), err)
		}
	}
	return nil
}

func listWatch(resource dynamic.ResourceInterface) *toolscache.ListWatch {
	return &toolscache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return resource.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return resource.Watch(ctx, o)
		},
	}
}

// has says whether a condition of a definition is True.
func has(o *unstructured.Unstructured, kind string) bool {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		if condition, ok := c.(map[string]any); ok && condition["type"] == kind {
			return condition["status"] == "True"
		}
	}
	return false
}
