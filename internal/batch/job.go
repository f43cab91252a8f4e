// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// wholes are the API groups of jobs that are queued whole; the batch Jobs that they
// are made of are not queued again. The admission policies name the same.
var wholes = []string{
	"jobset.x-k8s.io", "kubeflow.org", "trainer.kubeflow.org", "ray.io", "leaderworkerset.x-k8s.io", slipwayv1.GroupVersion.Group,
}

func queuedWhole(owner *metav1.OwnerReference) bool {
	group, _, _ := strings.Cut(owner.APIVersion, "/")
	return slices.Contains(wholes, group)
}

// isQueued says that the Job is one of ours: its pods are bound by our scheduler, it
// is run by Kubernetes' controller, and it is no part of another one.
func isQueued(job *batchv1.Job) bool {
	owner := metav1.GetControllerOf(job)
	return job.DeletionTimestamp == nil &&
		job.Spec.Template.Spec.SchedulerName == slipwayv1.SchedulerName &&
		ptr.Deref(job.Spec.ManagedBy, batchv1.JobControllerName) == batchv1.JobControllerName &&
		(owner == nil || !queuedWhole(owner))
}

func isSuspended(job *batchv1.Job) bool { return ptr.Deref(job.Spec.Suspend, false) }

// suspendedAt is when Kubernetes' controller followed the suspension of the Job; zero when it has not.
func suspendedAt(job *batchv1.Job) metav1.Time {
	if i := slices.IndexFunc(job.Status.Conditions, holds(batchv1.JobSuspended)); i >= 0 {
		return job.Status.Conditions[i].LastTransitionTime
	}
	return metav1.Time{}
}

// waits for its turn, and not for a person.
func waits(job *batchv1.Job) bool {
	_, is := job.Annotations[slipwayv1.AnnotationQueued]
	return is
}

func finished(job *batchv1.Job) bool {
	return slices.ContainsFunc(job.Status.Conditions, holds(batchv1.JobComplete, batchv1.JobFailed))
}

// holds says that a condition is true, and one of these.
func holds(types ...batchv1.JobConditionType) func(batchv1.JobCondition) bool {
	return func(c batchv1.JobCondition) bool {
		return c.Status == corev1.ConditionTrue && slices.Contains(types, c.Type)
	}
}

// ending are the pods that are left from before.
func ending(job *batchv1.Job) int32 {
	return max(job.Status.Active, 0) + ptr.Deref(job.Status.Terminating, 0)
}

// parallelism is how many pods the Job has at a time.
func parallelism(job *batchv1.Job) int32 {
	most := ptr.Deref(job.Spec.Parallelism, 1)
	if job.Spec.Completions != nil {
		most = min(most, *job.Spec.Completions)
	}
	return max(most, 0)
}

// left are the pods that the Job would have if it started now. Indexes that failed for good
// are not tried again, and of a Job without a number of completions nothing is once one pod
// has succeeded.
func left(job *batchv1.Job) int32 {
	switch done := job.Status.Succeeded; {
	case job.Spec.Completions != nil:
		return int32(max(min(int64(parallelism(job)), int64(*job.Spec.Completions)-int64(done)-failedIndexes(job)), 0))
	case done > 0:
		return 0
	}
	return parallelism(job)
}
