// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"
	"strconv"
	"strings"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/utils/ptr"

	"slipway.dev/slipway/internal/training/created"
)

// pytorchTypes in rank order.
func pytorchTypes() []kubeflowv1.ReplicaType {
	return []kubeflowv1.ReplicaType{kubeflowv1.PyTorchJobReplicaTypeMaster, kubeflowv1.PyTorchJobReplicaTypeWorker}
}

func replicas(job *kubeflowv1.PyTorchJob, want kubeflowv1.ReplicaType) int32 {
	for t, spec := range job.Spec.PyTorchReplicaSpecs {
		if spec != nil && strings.EqualFold(string(t), string(want)) {
			return ptr.Deref(spec.Replicas, 1)
		}
	}
	return 0
}

func pytorchRanks(w Workload) int32 {
	var n int32
	for _, t := range pytorchTypes() {
		n += replicas(w.Object.(*kubeflowv1.PyTorchJob), t)
	}
	return n
}

func pytorchRank(w Workload, labels map[string]string) (int32, bool) {
	index, err := strconv.ParseInt(labels[kubeflowv1.ReplicaIndexLabel], 10, 32)
	if err != nil {
		return 0, false
	}
	before := int32(0)
	for _, t := range pytorchTypes() {
		if strings.EqualFold(string(t), labels[kubeflowv1.ReplicaTypeLabel]) {
			return before + int32(index), true
		}
		before += replicas(w.Object.(*kubeflowv1.PyTorchJob), t)
	}
	return 0, false
}

// pytorchState follows the conditions as upstream writes them: the end decides,
// then what is True last.
func pytorchState(w Workload) State {
	status := &w.Object.(*kubeflowv1.PyTorchJob).Status
	state := State{Running: w.running(), Total: pytorchRanks(w)}
	if c := condition(status, kubeflowv1.JobFailed); c != nil {
		state.Status, state.Ended, state.Failed, state.EndedAt = StatusFailed, true, true, c.LastTransitionTime.Time
		state.Reason = strings.TrimSuffix(c.Message, ".")
		if words := w.complaints(); !strings.Contains(state.Reason, words) {
			state.Reason += ": " + words
		}
		return state
	}
	switch {
	case condition(status, kubeflowv1.JobSucceeded) != nil:
		state.Status, state.Ended = string(kubeflowv1.JobSucceeded), true
		state.EndedAt = condition(status, kubeflowv1.JobSucceeded).LastTransitionTime.Time
		state.Reason = took(status)
	case condition(status, kubeflowv1.JobSuspended) != nil:
		state.Status = string(kubeflowv1.JobSuspended)
		state.Reason = "spec.runPolicy.suspend is true"
	case condition(status, kubeflowv1.JobRestarting) != nil:
		state.Status = string(kubeflowv1.JobRestarting)
		state.Reason = w.pytorchRestarting(condition(status, kubeflowv1.JobRestarting).Message)
	case condition(status, kubeflowv1.JobRunning) != nil:
		state.Status, state.Reason = StatusRunning, w.complaints()
		// A gang that lost a node, or gave way, still has pods for a while.
		if why, waits := w.unplaced(); waits {
			state.Reason = joined(why, state.Reason)
		} else if c := condition(status, kubeflowv1.JobCreated); c != nil {
			state.Reason = joined(created.Why(c.Message), state.Reason)
		}
	default:
		state.Status, state.Reason = w.pytorchBefore(status)
	}
	return state
}

// pytorchRestarting is the reason of a job that runs again when it can: what stopped it, and
// what its gang waits for if that has no place.
func (w Workload) pytorchRestarting(message string) string {
	if _, cause, is := strings.Cut(message, " is restarting because "); is {
		message = cause // the status says the rest
	}
	message = strings.TrimSuffix(message, ".")
	why, waits := w.unplaced()
	first, _, _ := strings.Cut(why, "; ") // the message says that much, and no more
	switch {
	case !waits:
		return joined(message, w.complaints())
	case strings.Contains(message, first):
		return message + strings.TrimPrefix(why, first)
	}
	return message + "; it waits: " + why
}

// pytorchBefore is the status of a job none of whose pods has run.
func (w Workload) pytorchBefore(status *kubeflowv1.JobStatus) (string, string) {
	c := condition(status, kubeflowv1.JobCreated)
	why, waits := w.unplaced()
	switch {
	case c == nil && w.Gang == nil:
		return StatusPending, unseen
	case waits:
		return StatusWaiting, why
	case w.Gang == nil:
		// Without a gang the job waits for something before it.
		return StatusWaiting, created.Why(c.Message)
	}
	// The condition comes a moment after the gang where the job starts at once.
	if c != nil && len(w.Pods) == 0 && created.Why(c.Message) != "" {
		return StatusWaiting, created.Why(c.Message) // for what keeps its pods from being made
	}
	return StatusStarting, w.starting()
}

func condition(status *kubeflowv1.JobStatus, t kubeflowv1.JobConditionType) *kubeflowv1.JobCondition {
	for i := range status.Conditions {
		if status.Conditions[i].Type == t && status.Conditions[i].Status == corev1.ConditionTrue {
			return &status.Conditions[i]
		}
	}
	return nil
}

func took(status *kubeflowv1.JobStatus) string {
	if status.StartTime == nil || status.CompletionTime == nil {
		return ""
	}
	return fmt.Sprintf("took %s", duration.HumanDuration(status.CompletionTime.Sub(status.StartTime.Time)))
}
