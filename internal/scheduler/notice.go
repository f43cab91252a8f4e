// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"cmp"
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/clip"
)

// Reasons of events about pods, which are those of Kubernetes' own scheduler, so that
// whoever counts or watches for them sees ours, too.
const (
	reasonPreempted        = "Preempted"
	reasonFailedScheduling = "FailedScheduling"
)

// ReasonIncomplete is the kind of reason for which a group of pods waits that more than
// room is missing to.
const ReasonIncomplete = "Incomplete"

// preempt a pod that gives way. Its condition comes first: whoever made the pod reads
// there, when it has ended, that this was no failure of its own.
func (b binder) preempt(ctx context.Context, pod *corev1.Pod, e errand) error {
	err := b.setCondition(ctx, e, corev1.PodCondition{
		Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: corev1.PodReasonPreemptionByScheduler,
		Message: clip.Text(e.delete, maxMessage), LastTransitionTime: metav1.Now(),
	})
	if err != nil {
		return err
	}
	if err := b.client.Delete(ctx, pod, client.Preconditions{UID: &e.uid}); err != nil {
		return fmt.Errorf("deleting pod %s, which gives way: %w", e.name, err)
	}
	b.events.Eventf(pod, nil, corev1.EventTypeNormal, reasonPreempted, "Preempt", "%s", clip.Note(e.delete))
	return nil
}

// noteWait in an event, where the kind of the reason is news: a new wording is none.
func (b binder) noteWait(pod *corev1.Pod, e errand) {
	if e.notice == "" {
		return
	}
	b.events.Eventf(pod, nil, corev1.EventTypeWarning, reasonFailedScheduling, "Schedule", "%s", clip.Note(e.wait))
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := b.ledger.member(e.uid); m != nil {
		m.noticed = e.notice
	}
}

// notice is the kind of the reason for which the pod of an errand waits; empty when it
// was noticed, or when the pod has its place and waits for a volume, which has events of
// its own.
func (l *ledger) notice(e *errand) string {
	m := l.member(e.uid)
	if m == nil || e.wait == "" || e.node != "" {
		return ""
	}
	kind := cmp.Or(m.problem, l.waitKind(l.crewOf[e.uid]))
	if kind == m.noticed {
		return ""
	}
	return kind
}

// waitKind is that of the reason for which the pods of a gang wait.
func (l *ledger) waitKind(key string) string {
	if g := l.groups[key]; g != nil {
		if g.reason == nil {
			return ReasonIncomplete
		}
		return string(g.reason.Code)
	}
	e := l.gangs[key]
	switch {
	case e == nil:
		return "NoGang"
	case e.answer == nil:
		return ""
	}
	_, reason, _ := e.answer.explain()
	return reason
}
