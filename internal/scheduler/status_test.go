// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/clip"
	"slipway.dev/slipway/internal/placement"
)

var (
	here    = []placement.SetPlacement{{Set: "worker", Slots: []placement.Slot{{Node: "n1", Count: 2}}}}
	there   = []placement.SetPlacement{{Set: "worker", Slots: []placement.Slot{{Node: "n2", Count: 2}}}}
	noRoom  = &placement.Reason{Code: placement.InsufficientResources, Text: "needs more"}
	less    = &placement.Reason{Code: placement.InsufficientResources, Text: "needs less"}
	lost    = &placement.Reason{Code: placement.NodeLost, Text: "lost"}
	tooMuch = &placement.Reason{Code: placement.NeverFits, Text: "too much", Remedy: "ask for less"}
)

func placed(at []placement.SetPlacement, reason *placement.Reason) *answer {
	return &answer{generation: 1, verdict: placement.Verdict{State: placement.Placed, Placement: at, Reason: reason}}
}

func waiting(at []placement.SetPlacement, reason *placement.Reason) *answer {
	return &answer{generation: 1, verdict: placement.Verdict{State: placement.Waiting, Placement: at, Reason: reason}}
}

func never() *answer {
	return &answer{generation: 1, verdict: placement.Verdict{State: placement.Never, Reason: tooMuch}}
}

// TestEvents: each step of a gang's life, and what people hear of it.
func TestEvents(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new *answer
		want     string // type, reason and note of the event
	}{
		{"placed by the first answer", nil, placed(here, nil), ""},
		{"placed in part by the first answer", nil, placed(here, noRoom), "Normal InsufficientResources needs more"},
		{"first waits", nil, waiting(nil, noRoom), "Normal InsufficientResources needs more"},
		{"other words", waiting(nil, noRoom), waiting(nil, less), ""},
		{"then placed", waiting(nil, noRoom), placed(here, nil), "Normal Placed 2 pods on 1 node"},
		{"never", nil, never(), "Warning NeverFits too much; to fit, ask for less"},
		{"loses a node", placed(here, nil), waiting(here, lost), "Warning NodeLost lost"},
		{"placed elsewhere at once", placed(here, nil), placed(there, nil), "Normal Placed 2 pods on 1 node"},
		{"grows", placed(here, nil), placed(here, noRoom), "Normal InsufficientResources needs more"},
		{"refused", placed(here, nil), &answer{generation: 1, refused: "no"}, "Warning InvalidSpec no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			old := &slipwayv1.GangStatus{}
			if c.old != nil {
				old = statusFor(old, c.old, noon)
			}
			got := ""
			if e, news := eventOf(&draft{old: old, new: statusFor(old, c.new, noon)}); news {
				got = e.Type + " " + e.Reason + " " + e.Note
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestConditions follows one gang: kstatus conditions are there only while true,
// and a transition has the time at which the status of its condition changed.
func TestConditions(t *testing.T) {
	later := noon.Add(time.Hour)
	status := statusFor(&slipwayv1.GangStatus{}, waiting(nil, noRoom), noon)
	status = statusFor(status, waiting(nil, less), later)
	want := []metav1.Condition{
		{Type: "Placed", Status: "False", Reason: "InsufficientResources", Message: "needs less"},
		{Type: "Ready", Status: "False", Reason: "InsufficientResources", Message: "needs less"},
		{Type: "Reconciling", Status: "True", Reason: "InsufficientResources", Message: "needs less"},
	}
	for i := range want {
		want[i].LastTransitionTime, want[i].ObservedGeneration = metav1.NewTime(noon), 1
	}
	if diff := cmp.Diff(want, status.Conditions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	status = statusFor(status, placed(here, nil), later)
	c := status.Placed()
	if len(status.Conditions) != 2 || c.Status != metav1.ConditionTrue || !c.LastTransitionTime.Time.Equal(later) {
		t.Errorf("placed, it says %+v", status.Conditions)
	}
	status = statusFor(status, never(), later)
	if !meta.IsStatusConditionTrue(status.Conditions, slipwayv1.ConditionStalled) || status.Placement != nil {
		t.Errorf("without hope, it says %+v", status)
	}
}

func TestLongMessagesAreClipped(t *testing.T) {
	long := &placement.Reason{Code: placement.InsufficientResources, Text: strings.Repeat("é", maxMessage)}
	status := statusFor(&slipwayv1.GangStatus{}, waiting(nil, long), noon)
	message := status.Conditions[0].Message
	if len(message) > maxMessage || !strings.HasSuffix(message, "é…") {
		t.Errorf("message has %d bytes and ends %q", len(message), message[len(message)-8:])
	}
	if e, _ := eventOf(&draft{old: &slipwayv1.GangStatus{}, new: status}); len(e.Note) > clip.MaxNote || e.Type != corev1.EventTypeNormal {
		t.Errorf("event has %d bytes", len(e.Note))
	}
}

func TestWhenAGangStarts(t *testing.T) {
	for _, c := range []struct {
		after []string
		want  string
	}{
		{nil, ""},
		{[]string{"a/b"}, ", when a/b has ended (81 % sure)"},
		{[]string{"a/b", "a/b"}, ", when a/b has ended (81 % sure)"},
		{[]string{"a/group/b", "a/group/b/remains"}, ", when a/group/b has ended (81 % sure)"},
		{[]string{"a/b", "a/c"}, ", when a/b, a/c have ended (81 % sure)"},
		{[]string{"a/b", "a/c", "a/d", "a/e", "a/f"}, ", when a/b, a/c, a/d and 2 more have ended (81 % sure)"},
	} {
		if got := whenOf(placement.Start{After: c.after, Confidence: 0.81}); got != c.want {
			t.Errorf("after %v: %q, want %q", c.after, got, c.want)
		}
	}
}
