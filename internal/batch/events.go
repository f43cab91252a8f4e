// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

// event is one line for the person who asks what happened to the Job. One that is sent
// again is counted by the recorder, or told once, see reconciler.say.
type event struct {
	Type, Reason, Action, Note string
}

func waitingEvent(reason, why string) event {
	return event{corev1.EventTypeNormal, reason, "Wait", why}
}

func blockedEvent(why []string) event {
	return event{corev1.EventTypeWarning, "Blocked", "Wait", strings.Join(why, "; ")}
}

// ReasonClass is that of events about ClassWarnings.
const ReasonClass = "NoPriorityClass"

// noClassEvent is about a class for the queue that is none.
func noClassEvent(what string) event {
	return event{corev1.EventTypeWarning, ReasonClass, "Ignore", what}
}

// ignoredTermsEvent is about annotations that do less than they say.
func ignoredTermsEvent(what string) event {
	return event{corev1.EventTypeWarning, podset.ReasonTerms, "Ignore", what}
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

// endsFirstEvent is for one that has places, and pods of an earlier run. One with Kueue's label that
// was suspended on these places was so by a person, or by Kueue's users' tools, and that means to it
// to queue again. Who was suspended before it got them had lost those of before.
func endsFirstEvent(job *batchv1.Job, placed *metav1.Condition) event {
	suspended := suspendedAt(job)
	if job.Labels[slipwayv1.LabelQueueName] == "" || !placed.LastTransitionTime.Before(&suspended) {
		return event{corev1.EventTypeNormal, "PodsEnding", "Wait", "has places again, and starts on them when the pods of its last run have ended"}
	}
	return event{corev1.EventTypeNormal, reasonStopped, "Wait", fmt.Sprintf("was stopped and queues again, as suspended Jobs with the label %s do; "+
		"it still has its places, and starts again when the pods of its last run have ended; to hold it: slipway kubectl annotate job %s -n %s %s-",
		slipwayv1.LabelQueueName, job.Name, job.Namespace, slipwayv1.AnnotationQueued)}
}

func (p *pass) emit(e event) { p.out.Events = append(p.out.Events, e) }

// emitVerdict tells why the Gang waits, in the scheduler's words.
func (p *pass) emitVerdict() {
	if c := p.in.Gang.Status.Placed(); c != nil {
		p.emit(waitingEvent(c.Reason, c.Message))
	}
}

// emitGrowth tells why a Gang that runs has not all the places that it asks for.
func (p *pass) emitGrowth() {
	set, has := &p.in.Gang.Spec.PodSets[0], int32(0)
	for _, placed := range p.in.Gang.Status.Placement {
		has += placed.Pods()
	}
	if c := p.in.Gang.Status.Placed(); c != nil && has < set.Count {
		p.emit(waitingEvent(c.Reason, fmt.Sprintf("%d of %d pods have no place yet: %s", set.Count-has, set.Count, c.Message)))
	}
}
