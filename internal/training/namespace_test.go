// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
	"slipway.dev/slipway/internal/training/frameworks"
)

// TestNamespaceEnds: in a namespace that is being deleted, whose gangs and pods may go
// before their job, nothing is made anew, and nobody is told of what is refused there.
func TestNamespaceEnds(t *testing.T) {
	job := newJob(1, 1)
	job.Namespace = "team"
	for name, c := range map[string]struct {
		objects []client.Object
		asked   int
	}{
		"seen":    {[]client.Object{job, kubetest.Ending("team")}, 0},
		"refused": {[]client.Object{job}, 1}, // the cache has not heard of it yet
	} {
		r, told, asked := endingReconciler(t, c.objects...)
		result, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(job)})
		if said := kubetest.Told(told); err != nil || result != (ctrl.Result{}) || len(said) > 0 || *asked != c.asked {
			t.Errorf("%s: asks for %d objects, looks again after %v, says %q: %v", name, *asked, result.RequeueAfter, said, err)
		}
		is := &kubeflowv1.PyTorchJob{}
		must(t, r.client.Get(t.Context(), client.ObjectKeyFromObject(job), is))
		if diff := cmp.Diff(job.Status, is.Status); diff != "" {
			t.Errorf("%s: the status has changed (-was +is):\n%s", name, diff)
		}
	}
}

// endingReconciler of a cluster that lets nobody make anything in its namespaces, and counts
// who tries.
func endingReconciler(t *testing.T, objects ...client.Object) (r *reconciler, told *events.FakeRecorder, asked *int) {
	t.Helper()
	asked = new(int)
	cluster := fake.NewClientBuilder().WithScheme(kubetest.Kinds(t, slipwayv1.AddToScheme, kubeflowv1.AddToScheme)).WithObjects(objects...).
		WithIndex(&corev1.Pod{}, indexOwner, ownerUID).WithIndex(&corev1.Service{}, indexOwner, ownerUID).
		WithInterceptorFuncs(interceptor.Funcs{
			Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error {
				*asked++
				return kubetest.RefusedAsEnding()
			},
		}).Build()
	told = events.NewFakeRecorder(8)
	framework := frameworks.All()[0]
	for _, f := range frameworks.All() {
		if f.Kind == kubeflowv1.PyTorchJobKind {
			framework = f
		}
	}
	return &reconciler{framework: framework, client: cluster, live: cluster, events: told}, told, asked
}
