// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

// TestPromiseOutlivesADeletedGang whose pods nobody has deleted yet: what is kept is given to nobody
// else. Pods that are still there long after stay, and so do those that no controller made.
func TestPromiseOutlivesADeletedGang(t *testing.T) {
	gone := noon.Add(10 * time.Minute)
	for name, tt := range map[string]struct {
		owned    bool
		after    time.Duration
		promised bool
	}{
		"at once":      {true, 0, true},
		"soon":         {true, collectedWithin - time.Second, true},
		"long after":   {true, collectedWithin, false},
		"made by hand": {false, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger()
			l.set(newNode("n1", 8, 4))
			runs := atMost(newGang("runs", 2, 1), time.Hour)
			l.set(runs)
			l.decide(noon)
			for rank := range 2 {
				l.set(madeFor(worker("runs", rank), tt.owned))
			}
			l.set(atMost(newGang("promised", 4, 1), time.Hour))
			l.decide(noon)
			l.plan()
			l.set(newGang("later", 2, 1))
			l.decide(noon)
			l.plan()
			if _, is := l.picture.PlannedStart("ns/promised"); !is {
				t.Fatal("nothing is promised while the gang runs")
			}
			l.remove(runs)
			l.decide(gone)
			l.plan()
			if next := l.nextMourn(); !next.Equal(gone.Add(collectedWithin)) {
				t.Errorf("it is looked again at %v", next)
			}
			l.decide(gone.Add(tt.after))
			l.plan()
			l.decide(gone.Add(tt.after))
			_, promised := l.picture.PlannedStart("ns/promised")
			later := l.gangs["ns/later"].answer.verdict.State == placement.Placed
			if promised != tt.promised || later == tt.promised {
				t.Errorf("it is promised a start: %t, and another gang is placed: %t; want %t and %t", promised, later, tt.promised, !tt.promised)
			}
		})
	}
}

// madeFor a gang by a controller, or by hand, and placed by Slipway.
func madeFor(p *corev1.Pod, owned bool) *corev1.Pod {
	p.Spec.SchedulerName = slipwayv1.SchedulerName
	if owned {
		is := true
		p.OwnerReferences = []metav1.OwnerReference{{Kind: "PyTorchJob", Name: "runs", UID: types.UID("job"), Controller: &is}}
	}
	return p
}

// TestRestartAfterAGangWasDeleted: who starts anew knows of no deletion, and sees pods of a Gang that
// is not there. They are on their way out all the same: what is kept of their places is given to
// nobody else.
func TestRestartAfterAGangWasDeleted(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 4), atMost(newGang("runs", 2, 1), time.Hour))
	s.settle()
	pods := []*corev1.Pod{madeFor(worker("runs", 0), true), madeFor(worker("runs", 1), true)}
	for _, p := range pods {
		s.set(p)
	}
	plan := func(s *server) {
		for _, name := range s.ledger.plan() {
			s.write(name)
		}
		s.settle()
	}
	s.set(atMost(newGang("promised", 4, 1), time.Hour))
	s.settle()
	plan(s)
	s.set(newGang("later", 2, 1))
	s.settle()
	promise := s.gang("promised").Status.Promise
	if promise == nil {
		t.Fatal("nothing is promised while the gang runs")
	}

	again := newServer(t, newNode("n1", 8, 4), pods[0], s.gang("later"), pods[1], s.gang("promised"))
	again.now = noon.Add(10 * time.Minute)
	again.settle()
	plan(again)
	again.expect(map[string]string{"later": s.tells("later")})
	if got := again.gang("promised").Status.Promise; got == nil || got.Number != promise.Number || got.Time.After(promise.Time.Time) {
		t.Errorf("it was promised %+v, and after a restart %+v", promise, got)
	}
	if next := again.ledger.nextMourn(); !next.Equal(again.now.Add(collectedWithin)) {
		t.Errorf("pods without a Gang are taken to stay from %v on", next)
	}
}

// TestGangMadeAgain under the name of one that was deleted a moment ago, whose pods have yet to end: it
// does not start on top of them, whatever is heard of first and whoever saw the deletion. Its own
// pods are not taken for those that go.
func TestGangMadeAgain(t *testing.T) {
	owned := func(g *slipwayv1.Gang, uid types.UID) *slipwayv1.Gang {
		is := true
		g.OwnerReferences = []metav1.OwnerReference{{Kind: "PyTorchJob", Name: "a", UID: uid, Controller: &is}}
		return g
	}
	old := owned(newGang("a", 4, 1), "job")
	next := owned(newGang("a", 4, 1), "another")
	next.UID = "another"
	var pods []client.Object
	for rank := range 4 {
		pods = append(pods, madeFor(worker("a", rank), true))
	}
	node := newNode("n1", 8, 4)
	before := func() *server {
		s := newServer(t, node, old)
		s.settle()
		for _, p := range pods {
			s.set(p)
		}
		s.settle()
		s.ledger.remove(old)
		delete(s.gangs, client.ObjectKeyFromObject(old))
		return s
	}
	for name, s := range map[string]*server{
		"at once":             before(),
		"after a decision":    func() *server { s := before(); s.settle(); return s }(),
		"restart, pods first": newServer(t, append([]client.Object{node}, pods...)...),
		"restart, Gang first": newServer(t),
	} {
		t.Run(name, func(t *testing.T) {
			s.set(next.DeepCopy())
			for _, o := range append([]client.Object{node}, pods...) {
				s.set(o)
			}
			s.settle()
			s.ledger.plan()
			s.settle()
			if got := s.tells("a"); got != "Reconciling (InsufficientResources)" {
				t.Errorf("while the pods of the one before are there it is %s", got)
			}
			for _, p := range pods {
				s.ledger.remove(p)
			}
			s.settle()
			s.expect(map[string]string{"a": "Placed Ready (Placed) worker n1*4"})
			own := madeFor(worker("a", 0), true)
			own.UID, own.OwnerReferences[0].UID = "own", "another"
			s.set(own)
			s.settle()
			if until := s.ledger.member("own").told.Until; until != 0 {
				t.Errorf("a pod of its own is taken to be gone at %d", until)
			}
		})
	}
}
