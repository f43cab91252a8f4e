// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package waiting

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/workload"
)

// Projects of namespaces, which are charged for what names none itself.
type Projects map[string]string

// ReadProjects of one namespace or, where none is named, of all. Who may not read them is
// told of none.
func ReadProjects(ctx context.Context, r client.Reader, namespace string) (Projects, error) {
	kind := corev1.SchemeGroupVersion.WithKind("Namespace")
	list := &metav1.PartialObjectMetadataList{}
	var err error
	if namespace == "" {
		list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
		err = r.List(ctx, list)
	} else {
		one := metav1.PartialObjectMetadata{}
		one.SetGroupVersionKind(kind)
		err = r.Get(ctx, client.ObjectKey{Name: namespace}, &one)
		list.Items = append(list.Items, one)
	}
	if err != nil && !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("reading namespaces: %w", err)
	}
	projects := Projects{}
	for _, n := range list.Items {
		projects[n.Name] = n.Labels[slipwayv1.LabelProject]
	}
	return projects, nil
}

// Gather what waits in a namespace or, where none is named, in all. Who may not list pods is
// told of gangs alone; forbidden is then what the API server said of the pods.
func Gather(ctx context.Context, r client.Reader, namespace string) (all []Line, forbidden, err error) {
	projects, err := ReadProjects(ctx, r, namespace)
	if err != nil {
		return nil, nil, err
	}
	var gangs slipwayv1.GangList
	if err := r.List(ctx, &gangs, client.InNamespace(namespace)); err != nil {
		return nil, nil, fmt.Errorf("listing gangs: %w", err)
	}
	pods, err := workload.ListScheduled(ctx, r, namespace, client.MatchingFields{"status.phase": string(corev1.PodPending)})
	switch {
	case apierrors.IsForbidden(err):
		forbidden = err
	case err != nil:
		return nil, nil, err
	}
	claims, err := readClaims(ctx, r, namespace, pods)
	if err != nil {
		return nil, nil, err
	}
	all = append(Gangs(gangs.Items, projects), Pods(pods, projects, claims)...)
	Sort(all)
	return all, forbidden, nil
}
