// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// TestAPIAJobIsDeletedAndItsPodsAreKept: the Gang goes, be there another Job of that name
// or not. The test plays the garbage collector.
func TestAPIAJobIsDeletedAndItsPodsAreKept(t *testing.T) {
	for name, again := range map[string]bool{"for good": false, "and made anew": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.settled()
			r.run()
			job := r.job("j", label(slipwayv1.LabelProject, "p"))
			r.create(job)
			gang := r.awaitGangs(1)[0]
			first := gang.UID
			r.place(&gang, true)
			job = r.awaitJob("j", "runs")
			r.must(r.client.Delete(t.Context(), job, client.PropagationPolicy(metav1.DeletePropagationOrphan)))
			kubetest.Edit(t, r.client, &gang, func(g *slipwayv1.Gang) { g.OwnerReferences = nil })
			r.must(r.client.Patch(t.Context(), job, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))))
			if again {
				r.create(r.job("j", label(slipwayv1.LabelProject, "p")))
			}
			kubetest.AwaitList(t, r.client, r.ns, "the gang to be gone", &slipwayv1.GangList{}, func(l *slipwayv1.GangList) bool {
				return len(l.Items) == 0 && !again || again && len(l.Items) == 1 && l.Items[0].UID != first && metav1.GetControllerOf(&l.Items[0]) != nil
			})
		})
	}
}
