// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"slices"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// TestAPIRestartWhileRoomIsMade: another process knows from the API alone who gave way to whom,
// and nobody else does before their pods have ended.
func TestAPIRestartWhileRoomIsMade(t *testing.T) {
	r := newRig(t)
	r.project("owner", "", 8, -1)
	r.project("lender", "", 0, -1)
	n := r.node("n1", 16, 8)
	const lenders = 4
	for i := range lenders {
		name := fmt.Sprint("lender-", i)
		r.gangOf("lender", name, 2)
		r.await(name, "Placed")
		for rank := range 2 {
			r.pod(fmt.Sprint(name, "-", rank), n.Name, name, quantities(1, 1))
		}
	}
	awaitVictim := func(heir string) (victim string) {
		kubetest.AwaitList(t, r.client, r.ns, "somebody to give way to "+heir, &slipwayv1.GangList{}, func(l *slipwayv1.GangList) bool {
			for _, g := range l.Items {
				if slices.Contains(g.Status.GaveWayTo, keyOf(r.ns, heir)) {
					victim = g.Name
				}
			}
			return victim != ""
		})
		return victim
	}
	r.gangOf("owner", "heir", 2)
	victim := awaitVictim("heir")
	for rank := range 2 { // Who runs them ends them, in its time.
		p := newPod(fmt.Sprint(victim, "-", rank), "", nil)
		p.Namespace, p.UID = r.ns, ""
		r.must(r.client.Delete(t.Context(), p, client.GracePeriodSeconds(600)))
	}
	r.stop()

	r.start()
	// It asks after the heir, which gets nothing from anybody else.
	r.gangOf("owner", "next", 2)
	awaitVictim("next")
	for rank := range 2 {
		p := newPod(fmt.Sprint(victim, "-", rank), "", nil)
		p.Namespace, p.UID = r.ns, ""
		r.delete(p)
	}
	r.await("heir", "Placed")
	var gaveWay []string
	for i := range lenders {
		if g := r.get(fmt.Sprint("lender-", i)); !g.Status.IsPlaced() {
			gaveWay = append(gaveWay, g.Name)
		}
	}
	if len(gaveWay) != 2 {
		t.Errorf("%v gave way, want two", gaveWay)
	}
}
