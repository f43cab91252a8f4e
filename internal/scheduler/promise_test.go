// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// atMost so long runs a gang.
func atMost(g *slipwayv1.Gang, d time.Duration) *slipwayv1.Gang {
	g.Spec.MaxRunTime = &metav1.Duration{Duration: d}
	return g
}

// TestPromisesAreKept by who decides anew, be it another scheduler or who asks why: a gang
// for which there is room waits, since it is promised to another one.
func TestPromisesAreKept(t *testing.T) {
	node := newNode("n1", 8, 4)
	s := newServer(t, node, atMost(newGang("runs", 2, 1), time.Hour))
	for _, g := range []*slipwayv1.Gang{atMost(newGang("promised", 4, 1), time.Hour), newGang("held", 2, 1)} {
		s.settle()
		s.set(g)
		s.settle()
		for _, name := range s.ledger.plan() {
			s.write(name)
		}
	}
	s.settle()

	at := noon.Add(10 * time.Minute)
	objects := []client.Object{node}
	for _, g := range s.gangs {
		objects = append(objects, g)
	}
	snap := again(t, taken(objects...))
	snap.Taken = at
	d := Decide(snap)
	for _, name := range []string{"promised", "held"} {
		got := answerTo(t, d, name)
		if got.State != placement.Waiting || !got.Start.Equal(noon.Add(time.Hour)) && name == "promised" {
			t.Errorf("%s is %s and starts at %v", name, got.State, got.Start)
		}
		told := s.gangs[types.NamespacedName{Namespace: "ns", Name: name}].Status
		if diff := cmp.Diff(told, got.Status); diff != "" {
			t.Errorf("status of %s (-live +decided):\n%s", name, diff)
		}
	}
	if held := answerTo(t, d, "held"); !strings.Contains(held.Reason.String(), "promised") {
		t.Errorf("held is told: %s", held.Reason)
	}
}

// TestOverdue: a start that was promised and has passed is promised anew, with the reason.
func TestOverdue(t *testing.T) {
	l := newLedger()
	l.set(newNode("n1", 8, 4))
	l.set(atMost(newGang("runs", 4, 1), time.Hour))
	l.decide(noon)
	l.set(atMost(newGang("waits", 4, 1), time.Hour))
	l.decide(noon)
	l.plan()
	at, is := l.picture.NextDue()
	if want := noon.Add(time.Hour); !is || at != want.Unix() {
		t.Fatalf("it is looked again at %d (%t), want %d", at, is, want.Unix())
	}
	late := noon.Add(time.Hour + 5*time.Minute)
	l.decide(late)
	l.plan()
	l.reword(1)
	d, changed := l.draft(types.NamespacedName{Namespace: "ns", Name: "waits"}, late)
	if !changed {
		t.Fatal("nothing is new")
	}
	want := "it was to start by " + noon.Add(time.Hour).UTC().Format(time.RFC3339) + ", but ns/runs has run for longer than expected; expected to start by " +
		noon.Add(time.Hour+10*time.Minute).UTC().Format(time.RFC3339)
	if got := d.new.Placed().Message; !strings.Contains(got, want) {
		t.Errorf("says %q, want %q", got, want)
	}
	if got := d.new.Promise; got == nil || !got.Time.Time.Equal(noon.Add(time.Hour+10*time.Minute)) {
		t.Errorf("promises %+v", got)
	}
}

// TestWhomItWaitsFor is told anew when one of them goes, though the start stays.
func TestWhomItWaitsFor(t *testing.T) {
	l := newLedger()
	l.set(newNode("n1", 8, 4))
	a, b := atMost(newGang("a", 2, 1), time.Hour), atMost(newGang("b", 2, 1), time.Hour)
	for _, g := range []*slipwayv1.Gang{a, b} {
		l.set(g)
		l.decide(noon)
	}
	l.set(atMost(newGang("waits", 4, 1), time.Hour))
	for _, want := range []string{", when ns/a, ns/b have ended (81 % sure)", ", when ns/b has ended (90 % sure)"} {
		l.decide(noon)
		l.plan()
		d, changed := l.draft(types.NamespacedName{Namespace: "ns", Name: "waits"}, noon)
		if !changed || !strings.HasSuffix(d.new.Placed().Message, want) || !d.new.Promise.Time.Time.Equal(noon.Add(time.Hour)) {
			t.Fatalf("it is told %+v of %+v, want %q", d.new.Placed(), d.new.Promise, want)
		}
		l.remove(a)
	}
}

// TestAPIPromiseOutlivesTheScheduler: one that starts anew keeps it, and `slipway why` tells the
// same.
func TestAPIPromiseOutlivesTheScheduler(t *testing.T) {
	r := newRig(t)
	r.node("n1", 8, 4)
	gang := func(name string, pods int32, run time.Duration) {
		g := newGang(name, pods, 1)
		g.ObjectMeta = metav1.ObjectMeta{Name: name, Namespace: r.ns}
		if run > 0 {
			atMost(g, run)
		}
		r.create(g)
	}
	gang("runs", 2, time.Hour)
	r.await("runs", "Placed")
	gang("promised", 4, time.Hour)
	before := r.awaitThat("promised", "it to be promised a start", func(g *slipwayv1.Gang) bool { return g.Status.Promise != nil })
	r.stop()
	gang("held", 2, 0)
	r.start()
	held := r.await("held", "InsufficientResources")
	if !strings.Contains(message(held), "kept for gangs that were promised to start soon") {
		t.Errorf("held is told: %s", message(held))
	}
	if after := r.get("promised"); !cmp.Equal(before.Status.Promise, after.Status.Promise) {
		t.Errorf("promised %+v, then %+v", before.Status.Promise, after.Status.Promise)
	}
	fetched, err := snapshot.Fetch(t.Context(), r.client, time.Now())
	r.must(err)
	fetched.Gangs = slices.DeleteFunc(fetched.Gangs, func(g *slipwayv1.Gang) bool { return g.Namespace != r.ns }) // other tests'
	d := Decide(fetched)
	for _, name := range []string{"promised", "held"} {
		got, _ := d.Answer(types.NamespacedName{Namespace: r.ns, Name: name})
		if got.State != placement.Waiting || name == "promised" && !got.Start.Equal(before.Status.Promise.Time.Time) {
			t.Errorf("why says of %s that it is %s and starts at %v", name, got.State, got.Start)
		}
	}
}

// TestPodsOfADeletedJobAreOnTheirWayOut: the place that they have is promised for when their grace
// period is over.
func TestPodsOfADeletedJobAreOnTheirWayOut(t *testing.T) {
	s := newServer(t, newNode("n1", 8, 2), newGang("deleted", 2, 1))
	s.settle()
	ends := metav1.NewTime(noon.Add(10 * time.Minute))
	pods := []*corev1.Pod{worker("deleted", 0), worker("deleted", 1)}
	for _, p := range pods {
		s.set(p)
	}
	s.set(atMost(newGang("waits", 2, 1), time.Hour))
	s.settle()
	s.ledger.remove(s.gang("deleted"))
	for _, p := range pods {
		p = p.DeepCopy()
		p.DeletionTimestamp = &ends
		s.set(p)
	}
	s.settle()
	s.ledger.plan()
	if start, is := s.ledger.picture.PlannedStart("ns/waits"); !is || start.At != ends.Unix() {
		t.Errorf("a start is promised at %d (%t), want %d", start.At, is, ends.Unix())
	}
}

// worker of a gang, of that rank, with one GPU of n1.
func worker(gang string, rank int) *corev1.Pod {
	p := newPod(fmt.Sprintf("%s-%d", gang, rank), "n1", quantities(1, 1))
	p.Labels = map[string]string{slipwayv1.LabelGang: gang, slipwayv1.LabelPodSet: "worker", slipwayv1.LabelRank: fmt.Sprint(rank)}
	return p
}
