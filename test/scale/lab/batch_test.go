// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/test/scale/fakenode"
)

// newTestBatch is one whose requests are only counted by its backlog.
func newTestBatch(t *testing.T) *Batch {
	l := &Lab{backlog: newBacklog(func(err error) { t.Error(err) }), fail: func(err error) { t.Error(err) }}
	return newBatch(l, "ns")
}

func testGang(name string, pods int32) *slipwayv1.Gang {
	gang := &slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, UID: types.UID("uid-" + name)}}
	gang.Spec.PodSets = []slipwayv1.PodSet{{Name: "worker", Count: pods, Topology: &slipwayv1.Topology{Required: fakenode.LabelRack}}}
	return gang
}

func TestWholeWhenTheLastPodIsBound(t *testing.T) {
	b := newTestBatch(t)
	for _, name := range []string{"a", "b"} {
		for i, pod := range podsOf(testGang(name, 2), 1) {
			pod.UID = types.UID(fmt.Sprint(name, i))
			b.podBound(pod)
			b.podBound(pod) // Seen again.
			if got := len(b.Whole.Times()); name == "a" && got != i {
				t.Errorf("after %d pods of 2, %d gangs are whole", i+1, got)
			}
		}
	}
	if bound, whole := len(b.Bound.Times()), len(b.Whole.Times()); bound != 4 || whole != 2 {
		t.Errorf("%d pods are bound and %d gangs whole, want 4 and 2", bound, whole)
	}
	b.podBound(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: "alone"}})
	if whole := len(b.Whole.Times()); whole != 2 {
		t.Errorf("a pod of no gang made %d whole", whole)
	}
}

func TestPodsOfEachStart(t *testing.T) {
	b, gang := newTestBatch(t), testGang("a", 3)
	b.gangWaits(gang, "InsufficientResources") // It never ran: nothing to delete.
	b.gangPlaced(gang)
	b.gangPlaced(gang)
	if got := b.lab.backlog.queue.Len(); got != 3 {
		t.Errorf("%d requests for one start, want 3", got)
	}
	b.gangWaits(gang, "Evicted")
	b.gangWaits(gang, "Evicted")
	if got := b.lab.backlog.queue.Len(); got != 6 {
		t.Errorf("%d requests after it lost its place, want 6", got)
	}
	b.gangPlaced(gang)
	if got := b.lab.backlog.queue.Len(); got != 9 {
		t.Errorf("%d requests after the second start, want 9", got)
	}
	if told, evicted := len(b.Told.Times()), len(b.Evicted.Times()); told != 1 || evicted != 1 {
		t.Errorf("told %d and evicted %d, want one each", told, evicted)
	}
	if first, second := podsOf(gang, 1)[0].Name, podsOf(gang, 2)[0].Name; first == second {
		t.Errorf("pods of both starts are named %s", first)
	}
}

func TestPodlessGangEndsUnlessItLostItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, gang := newTestBatch(t), testGang("a", 1)
		b.Podless = true
		gang.Annotations = map[string]string{fakenode.AnnotationRunTime: "2s"}
		requests := func(after time.Duration, want int) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			<-ctx.Done()
			synctest.Wait()
			if got := b.lab.backlog.queue.Len(); got != want {
				t.Errorf("%d requests, want %d", got, want)
			}
		}
		b.gangPlaced(gang)
		requests(time.Second, 0)
		b.gangWaits(gang, "Evicted")
		b.gangPlaced(gang) // It starts from the beginning.
		requests(1500*time.Millisecond, 0)
		requests(time.Second, 1)
	})
}

func TestGroupOf(t *testing.T) {
	group := groupOf(testGang("a", 5))
	if got := group.Spec.SchedulingPolicy.Gang.MinCount; got != 5 {
		t.Errorf("the group starts with %d pods, want all 5", got)
	}
	if got := group.Spec.SchedulingConstraints.Topology[0].Key; got != fakenode.LabelRack {
		t.Errorf("its pods share the label %s, want %s", got, fakenode.LabelRack)
	}
}
