// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// IndexNeeds is the index of a controller's jobs by what they may wait for: the keys are
// those of NeedClaim, NeedTemplate, NeedClass and NeedGang.
const IndexNeeds = "podset.needs"

// NeedClaim is the need of a claim of the job's namespace, and of its volume.
func NeedClaim(name string) string { return "claim/" + name }

// NeedTemplate is the need of a ResourceClaimTemplate of the job's namespace.
func NeedTemplate(name string) string { return "template/" + name }

// NeedClass is the need of a PriorityClass.
func NeedClass(name string) string { return "class/" + name }

// NeedGang is the need that the name of a Gang be free.
func NeedGang(name string) string { return "gang/" + name }

// NeedClaims are the needs of all claims that a pod mounts, and of those that it has made of
// templates.
func NeedClaims(spec *corev1.PodSpec) []string {
	var needs []string
	for _, volume := range spec.Volumes {
		if volume.PersistentVolumeClaim != nil {
			needs = append(needs, NeedClaim(volume.PersistentVolumeClaim.ClaimName))
		}
	}
	for _, claim := range spec.ResourceClaims {
		if claim.ResourceClaimTemplateName != nil {
			needs = append(needs, NeedTemplate(*claim.ResourceClaimTemplateName))
		}
	}
	return needs
}

// WatchNeeds makes a controller look again at the jobs that need an object when it comes, or
// when it makes way, so that nobody has to ask for it now and again. Jobs is a list of their
// kind, which the cache has under IndexNeeds.
func WatchNeeds(b *builder.Builder, cached client.Client, jobs client.ObjectList) *builder.Builder {
	came := predicate.Funcs{
		UpdateFunc: func(event.UpdateEvent) bool { return false },
		DeleteFunc: func(event.DeleteEvent) bool { return false },
	}
	bound := came
	bound.UpdateFunc = func(e event.UpdateEvent) bool {
		return e.ObjectOld.(*corev1.PersistentVolumeClaim).Spec.VolumeName != e.ObjectNew.(*corev1.PersistentVolumeClaim).Spec.VolumeName
	}
	gone := predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(event.UpdateEvent) bool { return false },
	}
	type watch struct {
		object client.Object
		when   predicate.Funcs
		need   func(client.Object) (namespace, need string)
	}
	watches := []watch{
		{&corev1.PersistentVolumeClaim{}, bound, func(o client.Object) (string, string) { return o.GetNamespace(), NeedClaim(o.GetName()) }},
		{&corev1.PersistentVolume{}, came, needOfVolume},
		{&schedulingv1.PriorityClass{}, came, func(o client.Object) (string, string) { return "", NeedClass(o.GetName()) }},
		{&slipwayv1.Gang{}, gone, func(o client.Object) (string, string) { return o.GetNamespace(), NeedGang(o.GetName()) }},
	}
	if ServesDevices(cached.RESTMapper()) {
		watches = append(watches, watch{&resourcev1.ResourceClaimTemplate{}, came, func(o client.Object) (string, string) { return o.GetNamespace(), NeedTemplate(o.GetName()) }})
	}
	for _, w := range watches {
		find := func(ctx context.Context, o client.Object) []ctrl.Request {
			namespace, need := w.need(o)
			return whoNeeds(ctx, cached, jobs, namespace, need)
		}
		b = b.Watches(w.object, handler.EnqueueRequestsFromMapFunc(find), builder.WithPredicates(w.when))
	}
	return b
}

// needOfVolume is that of the claim which it is bound to.
func needOfVolume(o client.Object) (namespace, need string) {
	claim := o.(*corev1.PersistentVolume).Spec.ClaimRef
	if claim == nil {
		return "", ""
	}
	return claim.Namespace, NeedClaim(claim.Name)
}

// whoNeeds something: jobs of a namespace, or of all of them. A cache that cannot be read is
// one that is ending.
func whoNeeds(ctx context.Context, cached client.Reader, jobs client.ObjectList, namespace, need string) []ctrl.Request {
	if need == "" {
		return nil
	}
	list := jobs.DeepCopyObject().(client.ObjectList)
	if cached.List(ctx, list, client.InNamespace(namespace), client.MatchingFields{IndexNeeds: need}, client.UnsafeDisableDeepCopy) != nil {
		return nil
	}
	var requests []ctrl.Request
	_ = meta.EachListItem(list, func(item runtime.Object) error {
		requests = append(requests, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(item.(client.Object))})
		return nil
	})
	return requests
}
