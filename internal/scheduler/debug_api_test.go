// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

func asked(s *scheduler, method string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	debug{s}.ServeHTTP(answer, httptest.NewRequest(method, debugPath, nil))
	return answer
}

func TestDebugBeforeTheFirstDecision(t *testing.T) {
	s := &scheduler{ledger: newLedger()}
	if got := asked(s, http.MethodGet); got.Code != http.StatusServiceUnavailable || !strings.Contains(got.Body.String(), "another replica leads") {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
	if got := asked(s, http.MethodPost); got.Code != http.StatusMethodNotAllowed || got.Header().Get("Allow") != "GET" {
		t.Errorf("a POST: got %d %s", got.Code, got.Body)
	}
}

// TestDebugTellsWhatIsNotWritten: who asks in the moment between a decision and its
// write hears of the decision.
func TestDebugTellsWhatIsNotWritten(t *testing.T) {
	s := &scheduler{ledger: newLedger()}
	ended := newPod("ended", "n1", quantities(1, 4))
	s.set(newNode("n1", 8, 4))
	s.set(ended)
	s.set(newGang("a", 4, 1))
	s.ledger.decide(noon)
	ended = ended.DeepCopy()
	ended.Status.Phase = "Succeeded"
	s.set(ended)
	s.ledger.decide(noon)
	read, err := snapshot.Read(asked(s, http.MethodGet).Body)
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Gangs) != 1 || len(read.Pods) != 0 || places(&read.Gangs[0].Status) != "worker n1*4" {
		t.Errorf("told %d pods, and gangs %+v", len(read.Pods), read.Gangs)
	}
}

// TestAPIDebugReplays: what a live scheduler tells is decided the same way again.
func TestAPIDebugReplays(t *testing.T) {
	r := newRig(t)
	n := r.node("n1", 16, 8)
	r.node("n2", 16, 8)
	limited := newGang("limited", 8, 1)
	limited.ObjectMeta = metav1.ObjectMeta{Name: "limited", Namespace: r.ns}
	limited.Spec.MaxRunTime = &metav1.Duration{Duration: time.Hour}
	r.create(limited)
	r.await("limited", "Placed")
	r.pod("foreign", n.Name, "", quantities(1, 0))
	r.gang("fits", 5, 1)
	r.await("fits", "Placed")
	r.gang("waits", 8, 1)
	r.gang("never", 17, 1)
	r.await("never", "NeverFits")
	r.awaitThat("waits", "it to be told when it starts", func(g *slipwayv1.Gang) bool { return strings.Contains(message(g), "expected to start by") })

	text := asked(r.scheduler, http.MethodGet).Body.String()
	taken, err := snapshot.Read(strings.NewReader(text))
	r.must(err)
	d := Decide(taken)
	for name, state := range map[string]placement.State{"limited": placement.Placed, "fits": placement.Placed, "waits": placement.Waiting, "never": placement.Never} {
		got, known := d.Answer(types.NamespacedName{Namespace: r.ns, Name: name})
		if !known || got.State != state {
			t.Errorf("%s is %s; want %s", name, got.State, state)
		}
		if diff := cmp.Diff(r.get(name).Status, got.Status); diff != "" {
			t.Errorf("status of %s (-live +replayed):\n%s", name, diff)
		}
	}
	fetched, err := snapshot.Fetch(t.Context(), r.client, taken.Taken)
	r.must(err)
	if !slices.ContainsFunc(fetched.Pods, func(p *corev1.Pod) bool { return p.Namespace == r.ns && p.Name == "foreign" }) {
		t.Errorf("fetched %d pods without the one that is there", len(fetched.Pods))
	}
}
