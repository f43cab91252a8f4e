// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

const (
	kind = "Job"
	// podSetName of the one pod set that a Job has.
	podSetName = "pod"
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

func gangName(job *batchv1.Job) string { return podset.GangName(kind, job.Name) }

func (p *pass) newGang(spec slipwayv1.GangSpec) *slipwayv1.Gang {
	job := p.in.Job
	return &slipwayv1.Gang{
		ObjectMeta: metav1.ObjectMeta{
			Name: gangName(job), Namespace: job.Namespace,
			Labels:          map[string]string{batchv1.JobNameLabel: job.Name},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind(kind))},
		},
		Spec: spec,
	}
}

// gangSpec is what the Job asks of the scheduler, with so many pods.
func (p *pass) gangSpec(count int32) slipwayv1.GangSpec {
	job := p.in.Job
	return slipwayv1.GangSpec{
		Project:    slipwayv1.ProjectOf(job.Labels),
		User:       job.Annotations[slipwayv1.AnnotationUser],
		Priority:   p.in.Priority,
		MaxRunTime: maxRunTime(job),
		MinRunTime: duration(job, slipwayv1.AnnotationMinRunTime),

		LastCheckpoint: slipwayv1.CheckpointOf(job.Annotations),

		PodSets: []slipwayv1.PodSet{podset.Of(podSetName, count, &job.Spec.Template, p.in.Volumes.Nodes)},
	}
}

// maxRunTime is the annotation, or else the Job's deadline.
func maxRunTime(job *batchv1.Job) *metav1.Duration {
	if d := duration(job, slipwayv1.AnnotationMaxRunTime); d != nil {
		return d
	}
	if s := job.Spec.ActiveDeadlineSeconds; s != nil && *s <= maxDeadline {
		return &metav1.Duration{Duration: time.Duration(*s) * time.Second}
	}
	return nil
}

// maxDeadline in seconds, a hundred years; more is no limit, and no number of
// nanoseconds.
const maxDeadline = 100 * 365 * 24 * 60 * 60

func duration(job *batchv1.Job, annotation string) *metav1.Duration {
	if d, err := time.ParseDuration(job.Annotations[annotation]); err == nil && d > 0 {
		return &metav1.Duration{Duration: d}
	}
	return nil
}

// problems are the reasons why the Job cannot be queued as it is, a line each.
func (p *pass) problems() []string {
	problems := slices.Sorted(maps.Values(p.in.Volumes.Missing))
	if p.in.InTheWay != "" {
		problems = append(problems, p.in.InTheWay)
	}
	template := &p.in.Job.Spec.Template
	problems = append(problems, podset.Problems("spec.template.metadata.annotations", template.Annotations)...)
	if len(template.Spec.ResourceClaims) > 0 {
		problems = append(problems, "spec.template.spec.resourceClaims: are not supported; request an extended resource, or name another scheduler")
	}
	for _, annotation := range []string{slipwayv1.AnnotationMaxRunTime, slipwayv1.AnnotationMinRunTime} {
		if s, is := p.in.Job.Annotations[annotation]; is && duration(p.in.Job, annotation) == nil {
			problems = append(problems, fmt.Sprintf("metadata.annotations[%s]: %q is not a duration; write one such as 36h or 90m", annotation, s))
		}
	}
	return problems
}
