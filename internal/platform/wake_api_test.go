// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// long makes a gang that runs for longer than any other, and would delay them.
func (f *fleet) long(name string, workers int32, saved *metav1.Time) {
	f.Helper()
	g := &slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: f.ns}, Spec: slipwayv1.GangSpec{
		MaxRunTime: &metav1.Duration{Duration: 3 * time.Hour}, LastCheckpoint: saved,
		PodSets: []slipwayv1.PodSet{{Name: "worker", Count: workers, Requests: gpuList(1)}},
	}}
	f.must(f.client.Create(f.Context(), g))
}

func (f *fleet) ended(name string) {
	f.Helper()
	f.must(f.client.Delete(f.Context(), &slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Namespace: f.ns, Name: name}}))
}

// alone waits until one gang has all the places.
func (f *fleet) alone(name string) {
	f.Helper()
	kubetest.AwaitList(f, f.client, f.ns, name+" to be placed, and nobody else", &slipwayv1.GangList{}, func(l *slipwayv1.GangList) bool {
		for _, g := range l.Items {
			if g.Status.IsPlaced() != (g.Name == name) {
				return false
			}
		}
		return true
	})
}

// heardOf a gang of that name, and of an answer to it.
func (a *auditor) heardOf(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.gangs[name] != nil && a.gangs[name].Status.Placed() != nil
}

func (a *auditor) moved() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.moves
}

// TestAPIWakesUp: the leader is stopped, as a machine is suspended, while room that was lent is called back and
// many come. Another one leads, calls it back, and then decides otherwise, for others went and came meanwhile. The
// first wakes up with the picture of before, and whatever it had in its hands nobody gets or loses a place by it.
func TestAPIWakesUp(t *testing.T) {
	f := newFleet(t)
	audit := f.audit(4)
	f.node("wakes-n1", 4)
	first := f.start("a")
	f.led("a")
	f.gangOf("runs", 2, 1, 0)
	f.awaitGang("runs", "to be placed", func(g *slipwayv1.Gang) bool { return g.Status.IsPlaced() })
	f.gangOf("large", 4, 1, 0)
	f.awaitGang("large", "to be promised a start", func(g *slipwayv1.Gang) bool { return g.Status.Promise != nil })
	f.long("small", 2, &metav1.Time{Time: time.Now().Add(-time.Minute)}) // so that it may start on recall
	f.awaitGang("small", "to be lent its places", func(g *slipwayv1.Gang) bool { return g.Status.IsPlaced() && len(g.Status.LentBy) == 1 })
	f.start("b")

	f.ended("runs")
	const many = 8
	for i := range many {
		f.long(fmt.Sprint("many-", i), 1, nil)
		if i == many/2 {
			f.must(first.cmd.Process.Signal(syscall.SIGSTOP))
		}
	}
	f.led("b")
	f.alone("large")
	f.gangOf("other", 4, 1, 5)
	f.alone("other")
	f.ended("large")
	f.ended("small")
	f.long("told", 1, nil)
	kubetest.Until(t, "the auditor to hear of all", func(context.Context) bool { return audit.heardOf("told") })
	before := audit.moved()

	f.must(first.cmd.Process.Signal(syscall.SIGCONT))
	if err := first.cmd.Wait(); err == nil {
		t.Error("a leader that another one has replaced ends as if all were well")
	}
	f.long("asked", 1, nil)
	kubetest.Until(t, "the auditor to hear of all", func(context.Context) bool { return audit.heardOf("asked") })
	f.alone("other")
	if after := audit.moved(); after > before {
		t.Errorf("%d gangs got or lost places when it woke up", after-before)
	}
	if faults := audit.found(); len(faults) > 0 {
		t.Errorf("at some moment %v", faults)
	}
}
