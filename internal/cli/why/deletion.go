// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/waiting"
	"slipway.dev/slipway/internal/cli/workload"
)

// deletion says that the subject was deleted, and what its pods hold until they have ended.
func (f *Facts) deletion(o *outline) {
	object := f.Subject.Object
	at := object.GetDeletionTimestamp()
	if at == nil || f.Subject.Kind.Kind == "Pod" {
		return
	}
	holding := workload.Workload{Pods: f.Pods}.Holding()
	text := "was deleted " + f.ago(at.Time) + " ago"
	if f.Subject.Gone {
		text = "was deleted, and is gone but for its pods"
	}
	if len(holding) == 0 {
		o.say("%s, and holds no places any more", text)
		return
	}
	var size waiting.Size
	for _, p := range holding {
		size.Add(p, f.claimed(p))
	}
	o.say("%s; until they have ended it holds %s", text, size)
	f.ending(o, holding, object.GetNamespace())
}

// claimed devices of a pod, as far as the cluster may be seen.
func (f *Facts) claimed(p *corev1.Pod) []slipwayv1.DeviceRequest {
	if f.Decided == nil {
		return nil
	}
	return f.Decided.Claimed(p)
}

// findRemains of a job that is gone and whose pods have not ended.
func findRemains(pods []corev1.Pod, k schema.GroupVersionKind, name string) (Subject, bool) {
	typed := &unstructured.Unstructured{}
	typed.SetGroupVersionKind(k)
	kind, is := workload.KindOf(typed)
	if !is {
		return Subject{}, false
	}
	w := workload.Remains(kind, slices.DeleteFunc(slices.Clone(pods), func(p corev1.Pod) bool { return p.Labels[kind.Label] != name }))
	if w == nil {
		return Subject{}, false
	}
	return Subject{Kind: k, Object: shadow(w.Object), Gone: true}, true
}

// shadow of an object that is gone: what its pods tell of it.
func shadow(of metav1.Object) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{}}
	object.SetNamespace(of.GetNamespace())
	object.SetName(of.GetName())
	object.SetUID(of.GetUID())
	object.SetDeletionTimestamp(of.GetDeletionTimestamp())
	return object
}
