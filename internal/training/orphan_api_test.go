// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// TestAPIAJobIsDeletedAndItsPodsAreKept: its Gang goes nevertheless. The test plays the
// garbage collector.
func TestAPIAJobIsDeletedAndItsPodsAreKept(t *testing.T) {
	r := newRig(t)
	job := r.newJob(1, 1)
	r.create(job)
	gang := r.awaitGang("pytorchjob-j")
	must(t, r.client.Delete(t.Context(), job, client.PropagationPolicy(metav1.DeletePropagationOrphan)))
	kubetest.Edit(t, r.client, gang, func(g *slipwayv1.Gang) { g.OwnerReferences = nil })
	must(t, r.client.Patch(t.Context(), job, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))))
	await(r, "the end of the gang", &slipwayv1.GangList{}, func(l *slipwayv1.GangList) bool { return len(l.Items) == 0 })
}
