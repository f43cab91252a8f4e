// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// event is one line for the person who asks what happened to the Job. One that is sent
// again is counted by the recorder, or told once, see reconciler.send.
type event struct {
	Type, Reason, Action, Note string
}

func waitingEvent(reason, why string) event {
	return event{corev1.EventTypeNormal, reason, "Wait", why}
}

func blockedEvent(why []string) event {
	return event{corev1.EventTypeWarning, "Blocked", "Wait", strings.Join(why, "; ")}
}

func noClassEvent(names []string) event {
	return event{corev1.EventTypeWarning, "NoPriorityClass", "Wait", fmt.Sprintf("there is no PriorityClass %s; it is ignored", strings.Join(names, ", "))}
}

func startedEvent(where string) event {
	return event{corev1.EventTypeNormal, "Started", "Start", "has its places: " + where}
}

func heldEvent(why string) event {
	return event{corev1.EventTypeWarning, "Held", "Suspend", "is suspended and waits again: " + why}
}

// reasonStopped is Kueue's word for a Job that was running.
const reasonStopped = "Stopped"

// restsEvent is for a Job that a person suspended.
func restsEvent() event {
	return event{corev1.EventTypeNormal, reasonStopped, "Suspend", "was suspended and gave its places back; set spec.suspend to false and it queues again"}
}

// endsFirstEvent is for one that has places and pods of an earlier run, such as one with
// Kueue's label that was suspended: it runs again when its turn comes, which is at once.
func endsFirstEvent() event {
	return event{corev1.EventTypeNormal, reasonStopped, "Wait", "has its places, and starts when the pods of its last run have ended"}
}

func (p *pass) emit(e event) { p.out.Events = append(p.out.Events, e) }

// emitVerdict tells why the Gang waits, in the scheduler's words.
func (p *pass) emitVerdict() {
	if c := p.in.Gang.Status.Placed(); c != nil {
		p.emit(waitingEvent(c.Reason, c.Message))
	}
}
