// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// page is how many objects are asked for at a time.
const page = 500

// ForbiddenError says that whoever asks may not see the whole of a cluster, without
// which nothing can be decided.
type ForbiddenError struct {
	// Resource that may not be listed, such as "nodes".
	Resource string
	Err      error
}

func (e *ForbiddenError) Error() string {
	return fmt.Sprintf("you may not list %s of the whole cluster", e.Resource)
}

func (e *ForbiddenError) Unwrap() error { return e.Err }

// Fetch a snapshot from the API server, page by page. The kinds are read one after the
// other: what happens meanwhile may be seen by half. The error is a [ForbiddenError]
// for those who may not list one of the kinds in all namespaces.
func Fetch(ctx context.Context, c client.Reader, now time.Time) (*Snapshot, error) {
	s := &Snapshot{Taken: now}
	for _, kind := range []struct {
		resource string
		list     client.ObjectList
		// optional kinds are left out where they may not be seen or are not served.
		optional bool
	}{
		{"nodes", &corev1.NodeList{}, false},
		{"namespaces", &corev1.NamespaceList{}, false},
		{"storageclasses", &storagev1.StorageClassList{}, true},
		{"persistentvolumes", &corev1.PersistentVolumeList{}, true},
		{"persistentvolumeclaims", &corev1.PersistentVolumeClaimList{}, true},
		{"podgroups", &schedulingv1beta1.PodGroupList{}, true},
		{"deviceclasses", &resourcev1.DeviceClassList{}, true},
		{"resourceslices", &resourcev1.ResourceSliceList{}, true},
		{"resourceclaims", &resourcev1.ResourceClaimList{}, true},
		{"resourceclaimtemplates", &resourcev1.ResourceClaimTemplateList{}, true},
		{"priorityclasses", &schedulingv1.PriorityClassList{}, true},
		{"projects", &slipwayv1.ProjectList{}, false},
		{"gangs", &slipwayv1.GangList{}, false},
		{"pods", &corev1.PodList{}, false},
	} {
		err := s.fetch(ctx, c, kind.list)
		switch {
		case kind.optional && (apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || meta.IsNoMatchError(err)):
		case apierrors.IsForbidden(err):
			return nil, &ForbiddenError{kind.resource, err}
		case err != nil:
			return nil, fmt.Errorf("listing %s: %w", kind.resource, err)
		}
	}
	return s, nil
}

// fetch all objects of a kind. Where a page comes too late for what the API server
// remembers it asks for all of them at once.
func (s *Snapshot) fetch(ctx context.Context, c client.Reader, blank client.ObjectList) error {
	found, err := pages(ctx, c, blank, page)
	if apierrors.IsResourceExpired(err) {
		found, err = pages(ctx, c, blank, 0)
	}
	for _, o := range found {
		s.Add(o)
	}
	return err
}

// pages of so many objects, trimmed: whole, those of a large cluster take gigabytes.
func pages(ctx context.Context, c client.Reader, blank client.ObjectList, size int64) ([]client.Object, error) {
	var found []client.Object
	for next := ""; ; {
		list := blank.DeepCopyObject().(client.ObjectList)
		if err := c.List(ctx, list, client.Limit(size), client.Continue(next)); err != nil {
			return nil, err
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			found = append(found, Trim(item.(client.Object)))
			return nil
		})
		if next = list.GetContinue(); err != nil || next == "" {
			return found, err
		}
	}
}
