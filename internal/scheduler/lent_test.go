// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

// TestLent: a gang on places that are kept for another one says so, to a scheduler that starts
// anew, too; and says so no more when the other one is gone.
func TestLent(t *testing.T) {
	node := newNode("n1", 8, 4)
	s := newServer(t, node, atMost(newGang("runs", 2, 1), time.Hour))
	plan := func() {
		s.settle()
		for _, name := range s.ledger.plan() {
			s.write(name)
		}
		s.settle()
	}
	saves := atMost(newGang("small", 2, 1), 3*time.Hour)
	saves.Spec.LastCheckpoint = &metav1.Time{Time: noon.Add(-time.Hour)}
	for _, g := range []*slipwayv1.Gang{atMost(newGang("large", 4, 1), time.Hour), saves} {
		plan()
		s.set(g)
	}
	plan()
	small := func() *slipwayv1.GangStatus {
		return &s.gangs[types.NamespacedName{Namespace: "ns", Name: "small"}].Status
	}
	if diff := cmp.Diff([]string{"ns/large"}, small().LentBy); diff != "" || !small().IsPlaced() {
		t.Fatalf("small is placed: %t, lent by (-want +got):\n%s", small().IsPlaced(), diff)
	}
	if got := small().Placed().Message; !strings.Contains(got, "kept for ns/large, and gives way as soon as that can start") {
		t.Errorf("small says %q", got)
	}

	objects := []client.Object{node}
	for _, g := range s.gangs {
		objects = append(objects, g)
	}
	snap := again(t, taken(objects...))
	snap.Taken = noon.Add(time.Minute)
	d := Decide(snap)
	if diff := cmp.Diff([]string{"ns/large"}, d.Picture.LentBy("ns/small")); diff != "" {
		t.Errorf("another scheduler knows that small is lent by (-want +got):\n%s", diff)
	}
	if got := answerTo(t, d, "large"); got.State != placement.Waiting || !got.Start.Equal(noon.Add(time.Hour)) {
		t.Errorf("large is %s and starts at %v", got.State, got.Start)
	}

	s.ledger.remove(s.gangs[types.NamespacedName{Namespace: "ns", Name: "large"}])
	plan()
	if got := small(); len(got.LentBy) > 0 || strings.Contains(got.Placed().Message, "large") {
		t.Errorf("large is gone, and small says that it is lent by %v: %s", got.LentBy, got.Placed().Message)
	}
}
