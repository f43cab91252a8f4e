// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/clip"
	"slipway.dev/slipway/internal/placement"
)

// Reasons of conditions, beside those of package placement.
const (
	reasonPlaced  = "Placed"
	reasonInvalid = "InvalidSpec"
)

// maxMessage of a condition, in bytes, so that an absurd gang has no absurd status.
const maxMessage = 2048

// answer to a gang as its spec was in a generation.
type answer struct {
	generation int64
	verdict    placement.Verdict
	// refused says why no decision can be made about the gang.
	refused string
	// start is when it is expected to start; zero when that is not known. when says
	// what has happened by then, and how sure that is.
	start time.Time
	when  string
	// promise is its number in placement.
	promise int64
	// next is what the gang is told once its status says this, which is why it gave way; nil for
	// nothing new.
	next *placement.Verdict
}

// statusFor is what the status becomes with an answer.
func statusFor(old *slipwayv1.GangStatus, a *answer, now time.Time) *slipwayv1.GangStatus {
	next := old.DeepCopy()
	next.ObservedGeneration = a.generation
	next.Placement = nil
	for _, set := range a.verdict.Placement {
		placed := slipwayv1.PodSetPlacement{Name: set.Set}
		for _, slot := range set.Slots {
			placed.Slots = append(placed.Slots, slipwayv1.Slot(slot))
		}
		next.Placement = append(next.Placement, placed)
	}
	next.LentBy = a.verdict.LentBy
	next.Promise = nil
	if a.verdict.State == placement.Waiting && !a.start.IsZero() {
		next.Promise = &slipwayv1.StartPromise{Time: metav1.NewTime(a.start), Number: a.promise}
	}
	state, reason, message := a.explain()
	c := conditions{&next.Conditions, a.generation, metav1.NewTime(now.Truncate(time.Second)), reason, clip.Text(message, maxMessage)}
	c.set(slipwayv1.ConditionPlaced, state == placement.Placed)
	c.set(slipwayv1.ConditionReady, reason == reasonPlaced)
	c.only(slipwayv1.ConditionReconciling, state != placement.Never && reason != reasonPlaced)
	c.only(slipwayv1.ConditionStalled, state == placement.Never)
	return next
}

// explain an answer: its state, the reason of the conditions, and the message.
func (a *answer) explain() (placement.State, string, string) {
	switch v := &a.verdict; {
	case a.refused != "":
		return placement.Never, reasonInvalid, a.refused
	case v.Reason != nil && !a.start.IsZero():
		return v.State, string(v.Reason.Code), v.Reason.String() + expectedBy(a.start) + a.when
	case v.Reason != nil:
		return v.State, string(v.Reason.Code), v.Reason.String()
	default:
		return v.State, reasonPlaced, summary(v.Placement) + onRecall(v.LentBy)
	}
}

// maxNamed gangs are named of those that end before another one starts, or for which places are kept.
const maxNamed = 3

// whenOf a planned start: ", when a/b has ended (90 % sure)".
func whenOf(start placement.Start) string {
	who, have := namesOf(start.After), "has"
	switch {
	case len(who) == 0:
		return ""
	case len(who) > 1:
		have = "have"
	}
	return fmt.Sprintf(", when %s %s ended (%.0f %% sure)", some(who), have, 100*start.Confidence)
}

// onRecall says to whom a gang gives way when one of them can start: "; gives way to a/b".
func onRecall(lentBy []string) string {
	if len(lentBy) == 0 {
		return ""
	}
	return fmt.Sprintf("; on places that are kept for %s, and gives way as soon as that can start", some(namesOf(lentBy)))
}

// namesOf gangs, each once: what is left of a group that gave way is named as what came in its place.
func namesOf(keys []string) []string {
	var names []string
	for _, key := range keys {
		if name := groupOf(key); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// some gangs by name, and how many more there are.
func some(names []string) string {
	who := strings.Join(names[:min(len(names), maxNamed)], ", ")
	if more := len(names) - maxNamed; more > 0 {
		who += fmt.Sprintf(" and %d more", more)
	}
	return who
}

func summary(placed []placement.SetPlacement) string {
	pods, nodes := int32(0), map[string]bool{}
	for _, set := range placed {
		for _, slot := range set.Slots {
			pods += slot.Count
			nodes[slot.Node] = true
		}
	}
	return fmt.Sprintf("%s on %s", placement.Count(int(pods), "pod"), placement.Count(len(nodes), "node"))
}

// conditions with a common reason and message.
type conditions struct {
	list            *[]metav1.Condition
	generation      int64
	now             metav1.Time
	reason, message string
}

func (c conditions) set(name string, is bool) {
	status := metav1.ConditionFalse
	if is {
		status = metav1.ConditionTrue
	}
	meta.SetStatusCondition(c.list, metav1.Condition{
		Type: name, Status: status, ObservedGeneration: c.generation,
		LastTransitionTime: c.now, Reason: c.reason, Message: c.message,
	})
}

// only sets a condition that is there at all only while it is true.
func (c conditions) only(name string, is bool) {
	if is {
		c.set(name, true)
	} else {
		meta.RemoveStatusCondition(c.list, name)
	}
}

// placedReason is the reason of the condition Placed; empty without one.
func placedReason(s *slipwayv1.GangStatus) string {
	if c := s.Placed(); c != nil {
		return c.Reason
	}
	return ""
}
