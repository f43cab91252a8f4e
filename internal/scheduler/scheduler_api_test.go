// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

func TestAPIPlacesWaitsAndFrees(t *testing.T) {
	r := newRig(t)
	n := r.node("n1", 8, 4)
	r.gang("first", 4, 1)
	g := r.await("first", "Placed")
	if want := fmt.Sprintf("worker %s*4", n.Name); places(&g.Status) != want {
		t.Errorf("placed at %q, want %q", places(&g.Status), want)
	}
	r.gang("second", 2, 1)
	g = r.await("second", "InsufficientResources")
	if want := "needs 2 pods of 1 cpu and 1 nvidia.com/gpu each at once; none fits now: 1 node has too little nvidia.com/gpu (0 free of 4)"; message(g) != want {
		t.Errorf("says %q, want %q", message(g), want)
	}
	r.gang("third", 5, 1)
	g = r.await("third", "NeverFits")
	if !meta.IsStatusConditionTrue(g.Status.Conditions, slipwayv1.ConditionStalled) || !strings.Contains(message(g), "add 1 node like "+n.Name) {
		t.Errorf("says %+v", g.Status.Conditions)
	}
	if e := r.awaitEvent("third", "NeverFits"); e.Type != corev1.EventTypeWarning {
		t.Errorf("event is %+v", e)
	}
	r.delete(r.get("first"))
	r.await("second", "Placed")
}

func TestAPIOthersPods(t *testing.T) {
	r := newRig(t)
	n := r.node("n1", 8, 4)
	foreign := r.pod("foreign", n.Name, "", quantities(1, 3))
	r.gang("a", 2, 1)
	r.await("a", "InsufficientResources")
	r.delete(foreign)
	r.await("a", "Placed")
	r.pod("a-0", n.Name, "a", quantities(1, 1))
	r.pod("a-1", n.Name, "a", quantities(1, 1))
	r.gang("b", 2, 1)
	r.await("b", "Placed")
}

func TestAPILostNode(t *testing.T) {
	r := newRig(t)
	n1, n2 := r.node("n1", 8, 4), r.node("n2", 8, 4)
	r.gang("a", 6, 1)
	r.await("a", "Placed")
	n2.Status.Conditions[0].Status = corev1.ConditionUnknown
	r.must(r.client.Status().Update(t.Context(), n2))
	r.await("a", "NodeLost")
	n3 := r.node("n3", 8, 2)
	g := r.await("a", "Placed")
	if want := fmt.Sprintf("worker %s*4 %s*2", n1.Name, n3.Name); places(&g.Status) != want {
		t.Errorf("placed at %q, want %q", places(&g.Status), want)
	}
}

func TestAPIResize(t *testing.T) {
	r := newRig(t)
	r.node("n1", 8, 4)
	g := r.gang("a", 2, 1)
	r.await("a", "Placed")
	kubetest.Edit(t, r.client, g, func(g *slipwayv1.Gang) { g.Spec.PodSets[0].Count = 4 })
	r.await("a", "Placed")
	if g := r.get("a"); g.Status.Placement[0].Slots[0].Count != 4 {
		t.Errorf("placed at %q", places(&g.Status))
	}
}

// TestAPIRestart: another process decides from the API alone, moves nothing and
// writes nothing about gangs that it has nothing new to say about.
func TestAPIRestart(t *testing.T) {
	r := newRig(t)
	n := r.node("n1", 16, 8)
	r.node("n2", 16, 8)
	r.gang("a", 5, 1)
	r.gang("b", 5, 1)
	r.await("a", "Placed")
	r.await("b", "Placed")
	r.pod("a-0", n.Name, "a", quantities(1, 1))
	r.gang("full", 8, 1)
	r.await("full", "InsufficientResources")
	r.stop()

	before := map[string]string{}
	for _, name := range []string{"a", "b", "full"} {
		before[name] = r.get(name).ResourceVersion
	}
	r.gang("c", 3, 1)
	r.start()
	r.await("c", "Placed")
	for _, name := range []string{"a", "b"} {
		if version := r.get(name).ResourceVersion; version != before[name] {
			t.Errorf("gang %s was written: version %s, then %s", name, before[name], version)
		}
	}
}

// TestAPIBurst is many gangs at once, all to be answered soon and none twice.
func TestAPIBurst(t *testing.T) {
	r := newRig(t)
	const gangs = 100
	for i := range 10 {
		r.node(fmt.Sprint("n", i), 16, 8)
	}
	began := time.Now()
	for i := range gangs {
		r.gang(fmt.Sprint("g", i), 1, 1)
	}
	created := time.Since(began)
	placed, waiting := 0, 0
	for i := range gangs {
		g := r.awaitAnswer(fmt.Sprint("g", i))
		if g.Status.IsPlaced() {
			placed++
		} else {
			waiting++
		}
	}
	t.Logf("%d gangs created in %s, all answered %s later", gangs, created, time.Since(began)-created)
	if placed != 80 || waiting != 20 {
		t.Errorf("%d placed and %d waiting; there is room for 80", placed, waiting)
	}
}

// BenchmarkAPIGang is the time from the creation of a gang to its placement as
// seen by a watcher.
func BenchmarkAPIGang(b *testing.B) {
	r := newRig(b)
	for i := range 20 {
		r.node(fmt.Sprint("n", i), 64, 8)
	}
	i := 0
	for b.Loop() {
		name := fmt.Sprint("g", i)
		r.gang(name, 64, 1)
		g := r.await(name, "Placed")
		b.StopTimer()
		r.delete(g)
		b.StartTimer()
		i++
	}
}
