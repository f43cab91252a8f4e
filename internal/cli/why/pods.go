// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/scheduler"
)

// groupKinds are what a group of pods is called that has no Gang: by a label that its pods
// have in common, or by a PodGroup that they name, be it there or not.
var groupKinds = []string{"group", "podgroup"}

// IsGroup says that a word is a kind of such groups.
func IsGroup(kind string) bool { return slices.Contains(groupKinds, kind) }

// findGroup that a pod in the namespace says it is of. No object has to be there for it.
func findGroup(pods []corev1.Pod, ref Ref, namespace string) (s Subject, found bool) {
	s = Subject{Kind: schema.GroupVersionKind{Kind: ref.kind}, Object: &unstructured.Unstructured{}}
	s.Object.SetName(ref.name)
	s.Object.SetNamespace(namespace)
	return s, slices.ContainsFunc(pods, func(p corev1.Pod) bool { return s.has(&p) })
}

// podsIn a namespace.
func podsIn(ctx context.Context, c client.Client, namespace string) ([]corev1.Pod, error) {
	var pods corev1.PodList
	if err := c.List(ctx, &pods, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("listing pods: %w", err)
	}
	return pods.Items, nil
}

// has the pod, where the subject is a group.
func (s Subject) has(p *corev1.Pod) bool {
	return IsGroup(s.Kind.Kind) && scheduler.GroupOf(p) == s.String()
}
