// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// project of the test's own, which is gone after it. Guaranteed and limit are of
// GPUs; a limit of less than zero is none.
func (r *rig) project(name, parent string, guaranteed, limit int64) *slipwayv1.Project {
	r.t.Helper()
	p := &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: r.ns + "-" + name}}
	if parent != "" {
		p.Spec.Parent = r.ns + "-" + parent
	}
	quota := slipwayv1.Quota{Resource: "nvidia.com/gpu", Guaranteed: *resource.NewQuantity(guaranteed, resource.DecimalSI)}
	if limit >= 0 {
		quota.Limit = resource.NewQuantity(limit, resource.DecimalSI)
	}
	p.Spec.Quota = []slipwayv1.Quota{quota}
	r.create(p)
	r.t.Cleanup(func() { _ = r.client.Delete(context.Background(), p) })
	return p
}

// gangOf a project, of workers with one GPU each.
func (r *rig) gangOf(project, name string, workers int32, change ...func(*slipwayv1.Gang)) {
	r.t.Helper()
	g := newGang(name, workers, 1)
	g.ObjectMeta = metav1.ObjectMeta{Name: name, Namespace: r.ns}
	g.Spec.Project = r.ns + "-" + project
	for _, c := range change {
		c(g)
	}
	r.create(g)
}

// awaitProject in a state.
func (r *rig) awaitProject(name, what string, ok func(*slipwayv1.Project) bool) *slipwayv1.Project {
	r.t.Helper()
	project := &slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: r.ns + "-" + name}}
	return kubetest.Await(r.t, r.client, project, what, ok)
}

func used(p *slipwayv1.Project) string {
	if len(p.Status.Usage) == 0 {
		return ""
	}
	text := p.Status.Usage[0].Used.String()
	if b := p.Status.Usage[0].Borrowed; b != nil {
		text += ", borrowed " + b.String()
	}
	return fmt.Sprintf("%s, %d placed, %d waiting", text, p.Status.Placed, p.Status.Waiting)
}

// TestAPIProjects holds limits, borrowing, and the taking back of what was borrowed.
func TestAPIProjects(t *testing.T) {
	r := newRig(t)
	n := r.node("n1", 64, 8)
	r.project("lab", "", 8, -1)
	r.project("red", "lab", 4, 7)
	r.project("blue", "lab", 4, -1)

	r.gangOf("nobody", "lost", 1)
	if g := r.await("lost", "NoQueue"); !strings.Contains(message(g), "there is no project "+r.ns+"-nobody") {
		t.Errorf("says %q", message(g))
	}
	// Nothing but the time that passes ends that. What red has of its own outlasts it, or that would be taken
	// if it started a second sooner.
	protected := func(least time.Duration) func(*slipwayv1.Gang) {
		return func(g *slipwayv1.Gang) { g.Spec.MinRunTime = &metav1.Duration{Duration: least} }
	}
	r.gangOf("red", "own", 4, protected(time.Hour))
	r.await("own", "Placed")
	r.gangOf("red", "borrows", 3, protected(5*time.Second))
	r.await("borrows", "Placed")
	r.gangOf("red", "beyond", 1)
	if g := r.await("beyond", "QuotaExceeded"); !strings.Contains(message(g), "may use 7 and uses 7") {
		t.Errorf("says %q", message(g))
	}
	want := "7, borrowed 3, 2 placed, 1 waiting"
	r.awaitProject("red", "it to use "+want, func(p *slipwayv1.Project) bool { return used(p) == want })

	// Blue is guaranteed four and only one is free: what red borrowed is taken back.
	r.gangOf("blue", "claims", 4)
	if g := r.await("borrows", "Evicted"); len(g.Status.Placement) > 0 || !strings.Contains(message(g), "is guaranteed them") {
		t.Errorf("placed at %q, says %q", places(&g.Status), message(g))
	}
	if g := r.await("claims", "Placed"); places(&g.Status) != "worker "+n.Name+"*4" {
		t.Errorf("placed at %q", places(&g.Status))
	}
	r.await("own", "Placed")
	r.awaitProject("lab", "it to use 8", func(p *slipwayv1.Project) bool { return strings.HasPrefix(used(p), "8") })
}

// TestAPIRefusedProject holds that a project that cannot be says why.
func TestAPIRefusedProject(t *testing.T) {
	r := newRig(t)
	for name, want := range map[string]string{"odd": "guarantees 4 and has the limit 2"} {
		r.project(name, "", 4, 2)
		p := r.awaitProject(name, "it to be refused", func(p *slipwayv1.Project) bool {
			return meta.IsStatusConditionFalse(p.Status.Conditions, slipwayv1.ConditionReady)
		})
		if c := meta.FindStatusCondition(p.Status.Conditions, slipwayv1.ConditionReady); !strings.Contains(c.Message, want) {
			t.Errorf("says %q", c.Message)
		}
	}
}

// TestAPIPlannedStart holds that a gang which waits is told when it can start, and
// that nobody who would delay it goes past.
func TestAPIPlannedStart(t *testing.T) {
	r := newRig(t)
	r.node("n1", 64, 8)
	limit := func(d time.Duration) func(*slipwayv1.Gang) {
		return func(g *slipwayv1.Gang) { g.Spec.MaxRunTime = &metav1.Duration{Duration: d} }
	}
	r.project("all", "", 0, -1)
	r.gangOf("all", "runs", 6, limit(time.Hour))
	r.await("runs", "Placed")
	r.gangOf("all", "large", 8, limit(time.Hour))
	g := r.awaitThat("large", "it to be told when it starts", func(g *slipwayv1.Gang) bool {
		c := g.Status.Placed()
		return c != nil && strings.Contains(c.Message, "; expected to start by ")
	})
	_, text, _ := strings.Cut(message(g), "; expected to start by ")
	text, when, _ := strings.Cut(text, ", when ")
	if want := r.ns + "/runs has ended (90 % sure)"; when != want {
		t.Errorf("is expected to start when %q, want %q", when, want)
	}
	if start, err := time.Parse(time.RFC3339, text); err != nil || time.Until(start) > time.Hour+time.Minute || time.Until(start) < 50*time.Minute {
		t.Errorf("is expected to start at %q: %v", text, err)
	}
	r.gangOf("all", "long", 2, limit(2*time.Hour))
	if g := r.await("long", "InsufficientResources"); !strings.Contains(message(g), "kept for gangs that were promised") {
		t.Errorf("says %q", message(g))
	}
	r.gangOf("all", "short", 2, limit(30*time.Minute))
	r.await("short", "Placed")
}
