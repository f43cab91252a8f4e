// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// jobState follows the conditions of a batch Job. One that is suspended waits for its
// turn, unless a person suspended it.
func jobState(w Workload) State {
	job := w.Object.(*batchv1.Job)
	state := State{Running: w.running(), Total: jobRanks(w)}
	why, unplaced := w.unplaced()
	_, queued := job.Annotations[slipwayv1.AnnotationQueued]
	switch failed, complete := jobCondition(job, batchv1.JobFailed), jobCondition(job, batchv1.JobComplete); {
	case failed != nil:
		state.EndedAt = failed.LastTransitionTime.Time
		state.Status, state.Ended, state.Failed = StatusFailed, true, true
		state.Reason = joined(failed.Message, w.complaints())
	case complete != nil:
		state.EndedAt = complete.LastTransitionTime.Time
		state.Status, state.Ended = "Succeeded", true
		if from, to := job.Status.StartTime, job.Status.CompletionTime; from != nil && to != nil {
			state.Reason = "took " + duration.HumanDuration(to.Sub(from.Time))
		}
	case ptr.Deref(job.Spec.Suspend, false) && !queued:
		state.Status, state.Reason = "Suspended", "spec.suspend is true"
	case ptr.Deref(job.Spec.Suspend, false):
		state.Status, state.Reason = StatusWaiting, why
		switch {
		case w.Gang == nil:
			state.Reason = cmp.Or(job.Annotations[slipwayv1.AnnotationBlocked], unseen)
		case !unplaced && len(w.alive()) > 0:
			state.Reason = "has places again, and starts on them when the pods of its last run have ended"
		case !unplaced:
			state.Reason = "has places, and is about to start"
		}
	case state.Running > 0:
		state.Status, state.Reason = StatusRunning, w.complaints()
		if unplaced {
			state.Reason = joined(why, state.Reason)
		}
	default:
		state.Status, state.Reason = StatusStarting, w.starting()
	}
	return state
}

func jobCondition(job *batchv1.Job, t batchv1.JobConditionType) *batchv1.JobCondition {
	for i := range job.Status.Conditions {
		if c := &job.Status.Conditions[i]; c.Type == t && c.Status == corev1.ConditionTrue {
			return c
		}
	}
	return nil
}

// jobRanks are the indexes of an indexed Job, or else how many pods run at a time.
func jobRanks(w Workload) int32 {
	spec := &w.Object.(*batchv1.Job).Spec
	most := ptr.Deref(spec.Parallelism, 1)
	if spec.Completions != nil {
		most = min(most, *spec.Completions)
	}
	return most
}

// jobRank is the index of a pod of an indexed Job.
func jobRank(_ Workload, labels map[string]string) (int32, bool) {
	index, err := strconv.ParseInt(labels[batchv1.JobCompletionIndexAnnotation], 10, 32)
	return int32(index), err == nil
}
