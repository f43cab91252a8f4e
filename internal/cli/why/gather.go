// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/batch"
	"slipway.dev/slipway/internal/podset"
	"slipway.dev/slipway/internal/scheduler"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// Facts are what is known about a subject.
type Facts struct {
	Now     time.Time
	Subject Subject
	// Gangs and Pods that the subject consists of, by name.
	Gangs []slipwayv1.Gang
	Pods  []corev1.Pod
	// Cluster and Decided are what the scheduler decides from, and its answers, those of
	// decide; nil for those who may not see the whole cluster, as Denied says.
	Cluster *snapshot.Snapshot
	Decided *scheduler.Decided
	Denied  *snapshot.ForbiddenError
	// Unranked says which priority class a Job names for the queue in vain, if it may be known.
	Unranked string
	// Events about any of them, the oldest first.
	Events []corev1.Event
}

// Gather the facts about a subject; bulk is who lists the whole cluster.
func Gather(ctx context.Context, c client.Client, bulk client.Reader, s Subject, now time.Time) (*Facts, error) {
	f := &Facts{Now: now, Subject: s}
	if s.Object.GetNamespace() != "" {
		if err := f.belongings(ctx, c); err != nil {
			return nil, err
		}
	}
	if err := f.unranked(ctx, c); err != nil {
		return nil, err
	}
	cluster, err := snapshot.Fetch(ctx, bulk, now)
	switch {
	case errors.As(err, &f.Denied):
	case err != nil:
		return nil, err
	default:
		f.Cluster, f.Decided = cluster, decide(cluster)
	}
	return f, f.events(ctx, c)
}

// unranked asks whether a Job's class for the queue is there. Who may not read classes has the event.
func (f *Facts) unranked(ctx context.Context, c client.Client) error {
	job := &batchv1.Job{}
	if f.Subject.Kind != batchv1.SchemeGroupVersion.WithKind("Job") || f.Subject.decode(job) != nil {
		return nil
	}
	var err error
	f.Unranked, err = batch.ClassWarning(job, podset.PriorityIn(ctx, c))
	if apierrors.IsForbidden(err) {
		return nil
	}
	return err
}

// makers are the kinds between what people make and its pods.
var makers = []schema.GroupVersionKind{
	appsv1.SchemeGroupVersion.WithKind("DeploymentList"), appsv1.SchemeGroupVersion.WithKind("ReplicaSetList"),
	appsv1.SchemeGroupVersion.WithKind("StatefulSetList"), batchv1.SchemeGroupVersion.WithKind("JobList"),
}

// belongings are the gangs and pods that the subject made, itself included, by whichever
// controllers.
func (f *Facts) belongings(ctx context.Context, c client.Client) error {
	here := client.InNamespace(f.Subject.Object.GetNamespace())
	var gangs slipwayv1.GangList
	var pods corev1.PodList
	if err := c.List(ctx, &gangs, here); err != nil {
		return fmt.Errorf("listing gangs: %w", err)
	}
	if err := c.List(ctx, &pods, here); err != nil {
		return fmt.Errorf("listing pods: %w", err)
	}
	var objects []metav1.Object
	for _, kind := range makers {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(kind)
		err := c.List(ctx, list, here)
		if err != nil && !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
			return fmt.Errorf("listing %s: %w", kind.Kind, err)
		}
		for i := range list.Items {
			objects = append(objects, &list.Items[i])
		}
	}
	for i := range gangs.Items {
		objects = append(objects, &gangs.Items[i])
	}
	for i := range pods.Items {
		objects = append(objects, &pods.Items[i])
	}
	made := descendants(f.Subject.Object.GetUID(), objects)
	named := map[string]bool{}
	for _, p := range pods.Items {
		if made[p.UID] || f.Subject.has(&p) {
			f.Pods = append(f.Pods, p)
			named[p.Labels[slipwayv1.LabelGang]] = true
		}
	}
	for _, g := range gangs.Items {
		if made[g.UID] || named[g.Name] {
			f.Gangs = append(f.Gangs, g)
			f.podsOf(g.Name, pods.Items)
		}
	}
	return nil
}

// podsOf a gang belong to whoever asks about the gang.
func (f *Facts) podsOf(gang string, pods []corev1.Pod) {
	if f.Subject.Kind.Kind != "Gang" {
		return
	}
	for _, p := range pods {
		if p.Labels[slipwayv1.LabelGang] == gang {
			f.Pods = append(f.Pods, p)
		}
	}
}

// descendants of an object, itself included, by UID.
func descendants(of types.UID, objects []metav1.Object) map[types.UID]bool {
	made := map[types.UID]bool{of: true}
	for grown := true; grown; {
		grown = false
		for _, o := range objects {
			owner := metav1.GetControllerOf(o)
			if owner != nil && made[owner.UID] && !made[o.GetUID()] {
				made[o.GetUID()], grown = true, true
			}
		}
	}
	return made
}

// decode the subject's object into a typed one.
func (s Subject) decode(into any) error {
	return runtime.DefaultUnstructuredConverter.FromUnstructured(s.Object.Object, into)
}
