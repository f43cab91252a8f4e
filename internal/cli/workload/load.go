// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Get loads one workload with what belongs to it; or, of a loose kind, the pods that it holds.
func Get(ctx context.Context, r client.Reader, kind Kind, namespace, name string) (Workload, error) {
	if kind.IsLoose() {
		return getLoose(ctx, r, kind, namespace, name)
	}
	object := kind.New()
	if err := r.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, object); err != nil {
		return Workload{}, err
	}
	gangs, pods, err := belongings(ctx, r, client.InNamespace(namespace), client.MatchingLabels{kind.Label: name})
	if err != nil {
		return Workload{}, err
	}
	return Assemble(kind, object, gangs, pods), nil
}

// List loads every workload of a kind, and what remains of those that are gone and whose pods
// have not ended; the empty namespace means all of them.
func List(ctx context.Context, r client.Reader, kind Kind, namespace string) ([]Workload, error) {
	list := kind.NewList()
	if err := r.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	gangs, pods, err := belongings(ctx, r, client.InNamespace(namespace), client.HasLabels{kind.Label})
	if err != nil {
		return nil, err
	}
	gangsOf, podsOf := byName(kind, gangs), byName(kind, pods)
	var all []Workload
	err = meta.EachListItem(list, func(item runtime.Object) error {
		object := item.(client.Object)
		key := client.ObjectKeyFromObject(object)
		all = append(all, Assemble(kind, object, gangsOf[key], podsOf[key]))
		delete(podsOf, key)
		return nil
	})
	for _, left := range podsOf {
		if w := Remains(kind, left); w != nil {
			all = append(all, *w)
		}
	}
	return all, err
}

// byName groups what belongs to workloads, so that each is compared with its own
// only.
func byName[T any, P interface {
	*T
	client.Object
}](kind Kind, items []T) map[client.ObjectKey][]T {
	grouped := map[client.ObjectKey][]T{}
	for i := range items {
		object := P(&items[i])
		key := client.ObjectKey{Namespace: object.GetNamespace(), Name: object.GetLabels()[kind.Label]}
		grouped[key] = append(grouped[key], items[i])
	}
	return grouped
}

func belongings(ctx context.Context, r client.Reader, options ...client.ListOption) ([]slipwayv1.Gang, []corev1.Pod, error) {
	var gangs slipwayv1.GangList
	var pods corev1.PodList
	if err := r.List(ctx, &gangs, options...); err != nil {
		return nil, nil, err
	}
	err := r.List(ctx, &pods, options...)
	return gangs.Items, pods.Items, err
}

// NoneError says that what people wrote names nothing of Kinds, or holds no pods.
type NoneError struct{ text string }

func (e NoneError) Error() string { return e.text }

// Find resolves what people wrote to the one object that it names.
func (ref Ref) Find(ctx context.Context, r client.Reader, namespace string) (Kind, client.Object, error) {
	var kinds []Kind
	var objects []client.Object
	for _, kind := range ref.Kinds {
		if kind.IsLoose() {
			w, err := getLoose(ctx, r, kind, namespace, ref.Name)
			return w.Kind, w.Object, err
		}
		object := kind.New()
		err := r.Get(ctx, client.ObjectKey{Namespace: namespace, Name: ref.Name}, object)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return Kind{}, nil, err
		}
		kinds, objects = append(kinds, kind), append(objects, object)
	}
	switch len(objects) {
	case 0:
		return Kind{}, nil, NoneError{fmt.Sprintf("there is no %s %q in namespace %s; see what there is with: slipway ps -A", ref.titles(), ref.Name, namespace)}
	case 1:
		return kinds[0], objects[0], nil
	}
	return Kind{}, nil, fmt.Errorf("%q is both a %s and a %s; write %s/%s or %s/%s", ref.Name,
		kinds[0].Title, kinds[1].Title, kinds[0].Name, ref.Name, kinds[1].Name, ref.Name)
}

func (ref Ref) titles() string {
	var titles []string
	for _, kind := range ref.Kinds {
		titles = append(titles, kind.Title)
	}
	if last := len(titles) - 1; last > 0 {
		return strings.Join(titles[:last], ", ") + " or " + titles[last]
	}
	return strings.Join(titles, "")
}
