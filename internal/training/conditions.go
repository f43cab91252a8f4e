// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"slices"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"

	"slipway.dev/slipway/internal/training/created"
)

func find(status *kubeflowv1.JobStatus, t kubeflowv1.JobConditionType) *kubeflowv1.JobCondition {
	i := slices.IndexFunc(status.Conditions, func(c kubeflowv1.JobCondition) bool { return c.Type == t })
	if i < 0 {
		return nil
	}
	return &status.Conditions[i]
}

func has(status *kubeflowv1.JobStatus, t kubeflowv1.JobConditionType) bool {
	return find(status, t) != nil
}

func isTrue(status *kubeflowv1.JobStatus, t kubeflowv1.JobConditionType) bool {
	c := find(status, t)
	return c != nil && c.Status == corev1.ConditionTrue
}

func finished(status *kubeflowv1.JobStatus) bool {
	return isTrue(status, kubeflowv1.JobSucceeded) || isTrue(status, kubeflowv1.JobFailed)
}

// setCondition keeps the rules that clients of these kinds rely on, which read
// the last element: a new condition goes to the end; the same status and reason
// again change nothing; Running and Restarting exclude each other; the end of
// the job turns Running off; and after Failed nothing changes any more.
func setCondition(status *kubeflowv1.JobStatus, c kubeflowv1.JobCondition) {
	if isTrue(status, kubeflowv1.JobFailed) {
		return
	}
	if old := find(status, c.Type); old != nil {
		if old.Status == c.Status && old.Reason == c.Reason {
			return
		}
		if old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
	}
	kept := make([]kubeflowv1.JobCondition, 0, len(status.Conditions)+1)
	for _, old := range status.Conditions {
		if old.Type == c.Type || excludes(c.Type, old.Type) {
			continue
		}
		if ends(c.Type) && old.Type == kubeflowv1.JobRunning {
			old.Status = corev1.ConditionFalse
		}
		kept = append(kept, old)
	}
	status.Conditions = append(kept, c)
}

func excludes(a, b kubeflowv1.JobConditionType) bool {
	return a == kubeflowv1.JobRunning && b == kubeflowv1.JobRestarting ||
		a == kubeflowv1.JobRestarting && b == kubeflowv1.JobRunning
}

func ends(t kubeflowv1.JobConditionType) bool {
	return t == kubeflowv1.JobSucceeded || t == kubeflowv1.JobFailed
}

// reason is the kind and a word, "PyTorchJobRunning".
func (p *pass) reason(word string) string { return p.in.Framework.Kind + word }

func (p *pass) set(t kubeflowv1.JobConditionType, status corev1.ConditionStatus, word, message string) {
	setCondition(&p.out.Status, kubeflowv1.JobCondition{
		Type: t, Status: status, Reason: p.reason(word), Message: message,
		LastUpdateTime: p.now, LastTransitionTime: p.now,
	})
}

func (p *pass) createdMessage(why string) string {
	return created.Message(p.in.Framework.Kind, p.name(), why)
}

// say puts the reason for waiting where clients of these kinds already look: the
// message of the condition Created, whose place and reason stay as they are. An
// event is sent when the message changes. The empty event takes the message back.
func (p *pass) say(why event) {
	c := find(&p.out.Status, kubeflowv1.JobCreated)
	message := p.createdMessage(why.Note)
	if c == nil || c.Message == message {
		return
	}
	c.Message, c.LastUpdateTime = message, p.now
	if why.Note != "" {
		p.emit(why)
	}
}
