// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// TestAPIRestartRemembers whose turn it is and how long runs took, from the API server
// alone, and writes it again: what has faded is gone.
func TestAPIRestartRemembers(t *testing.T) {
	r := newRig(t)
	p := r.project("team", "", 0, -1)
	r.stop()
	r.must(r.client.Get(t.Context(), client.ObjectKeyFromObject(p), p))
	p.Status.PastUsage = pastOfUsers(time.Now().Add(-time.Hour))
	p.Status.PastUsage.Mean["example.com/faded"] = resource.MustParse("1m")
	r.must(r.client.Status().Update(t.Context(), p))

	r.node("n1", 64, 8)
	by := func(user string) func(*slipwayv1.Gang) { return func(g *slipwayv1.Gang) { g.Spec.User = user } }
	r.start()
	r.gangOf("team", "full", 8, by("cleo"))
	full := r.await("full", "Placed")
	r.gangOf("team", "a", 8, by("ada"))
	r.await("a", "InsufficientResources")
	r.gangOf("team", "b", 8, by("bob"))
	r.await("b", "InsufficientResources")
	r.delete(full)
	r.await("b", "Placed")
	r.await("a", "InsufficientResources")

	p = r.awaitProject("team", "to have its past written again", func(p *slipwayv1.Project) bool {
		return p.Status.PastUsage != nil && time.Since(p.Status.PastUsage.Time.Time) < pastEvery
	})
	past := p.Status.PastUsage
	if _, still := past.Mean["example.com/faded"]; still {
		t.Errorf("what was hardly anything an hour ago is still there: %v", past.Mean)
	}
	if len(past.Users) < 2 || past.Users[0].Name != "ada" || len(past.Runs) != 2 || len(past.Runs[1].Seconds) != 3 {
		t.Errorf("of users and runs is written %+v", past)
	}
	if len(p.Spec.Quota) != 1 || p.Generation != 1 {
		t.Errorf("what people wrote became %+v, generation %d", p.Spec, p.Generation)
	}
}
