// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// maxAbout bounds about how many objects events are asked for.
const maxAbout = 6

// events about the subject, its gangs and its pods. Who may not read events gets none.
func (f *Facts) events(ctx context.Context, c client.Client) error {
	for _, object := range f.about() {
		var list corev1.EventList
		err := c.List(ctx, &list, client.InNamespace(f.Subject.Object.GetNamespace()), client.MatchingFields{"involvedObject.name": object.Name})
		if apierrors.IsForbidden(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("listing events: %w", err)
		}
		for _, e := range list.Items {
			if isAbout(&e, object) {
				f.Events = append(f.Events, e)
			}
		}
	}
	slices.SortStableFunc(f.Events, func(a, b corev1.Event) int { return happened(&a).Compare(happened(&b)) })
	return nil
}

// isAbout says that an event is about an object, and not about one of another kind or before it
// that has the same name. Of nodes kubelets do not tell the UID, but the name in its place.
func isAbout(e *corev1.Event, object corev1.ObjectReference) bool {
	about := &e.InvolvedObject
	return about.Kind == object.Kind && about.Name == object.Name &&
		(about.UID == object.UID || about.UID == "" || about.Kind == "Node")
}

// about which objects events are of interest, the subject first.
func (f *Facts) about() []corev1.ObjectReference {
	subject := f.Subject.Object
	all := []corev1.ObjectReference{{Kind: f.Subject.Kind.Kind, Name: subject.GetName(), UID: subject.GetUID()}}
	add := func(kind string, object client.Object) {
		ref := corev1.ObjectReference{Kind: kind, Name: object.GetName(), UID: object.GetUID()}
		if !slices.Contains(all, ref) && len(all) < maxAbout {
			all = append(all, ref)
		}
	}
	for i := range f.Gangs {
		add("Gang", &f.Gangs[i])
	}
	for i := range f.Pods {
		if f.Pods[i].Status.Phase != corev1.PodRunning {
			add("Pod", &f.Pods[i])
		}
	}
	return all
}

// happened is when an event did, for the last time.
func happened(e *corev1.Event) time.Time {
	switch {
	case e.Series != nil:
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	case !e.EventTime.IsZero():
		return e.EventTime.Time
	}
	return e.CreationTimestamp.Time
}
