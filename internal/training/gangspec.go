// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"maps"
	"slices"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
	"slipway.dev/slipway/internal/training/frameworks"
)

// gangSpec is what the job asks of the scheduler, pod sets in rank order.
func (p *pass) gangSpec() slipwayv1.GangSpec {
	job := p.in.Job
	spec := slipwayv1.GangSpec{
		Project:    slipwayv1.ProjectOf(job.Object().GetLabels()),
		User:       job.Object().GetAnnotations()[slipwayv1.AnnotationUser],
		Priority:   ptr.Deref(p.in.Priority, 0),
		MaxRunTime: maxRunTime(job),
		MinRunTime: duration(job, slipwayv1.AnnotationMinRunTime),

		LastCheckpoint: slipwayv1.CheckpointOf(job.Object().GetAnnotations()),
	}
	left := p.minAvailable()
	for _, t := range p.in.Framework.Types {
		replica := job.Replicas()[t.Name]
		if replica == nil {
			continue
		}
		set := podset.Of(podSetName(t.Name), ptr.Deref(replica.Replicas, 1), &replica.Template, p.in.Volumes)
		set.Labels = p.setLabels(t.Name, set.Labels)
		set.MinCount = minCount(set.Count, left, job.MinReplicas(t.Name))
		if left != nil {
			*left -= *set.MinCount
		}
		spec.PodSets = append(spec.PodSets, set)
	}
	return spec
}

// setLabels are those that all pods of a type will have. What differs from rank to rank
// is left out, so that no affinity can be about it.
func (p *pass) setLabels(replica kubeflowv1.ReplicaType, template map[string]string) map[string]string {
	labels := maps.Clone(template)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, replicaLabels(p.in, replica))
	labels[slipwayv1.LabelGang] = p.gangName()
	labels[slipwayv1.LabelPodSet] = podSetName(replica)
	for _, key := range []string{kubeflowv1.ReplicaIndexLabel, kubeflowv1.JobRoleLabel, slipwayv1.LabelRank} {
		delete(labels, key)
	}
	return labels
}

// duration of an annotation, which validation has checked.
func duration(job frameworks.Job, annotation string) *metav1.Duration {
	if s, ok := job.Object().GetAnnotations()[annotation]; ok {
		if d, err := time.ParseDuration(s); err == nil {
			return &metav1.Duration{Duration: d}
		}
	}
	return nil
}

// maxRunTime is the annotation, or else the job's deadline.
func maxRunTime(job frameworks.Job) *metav1.Duration {
	if d := duration(job, slipwayv1.AnnotationMaxRunTime); d != nil {
		return d
	}
	if s := job.RunPolicy().ActiveDeadlineSeconds; s != nil {
		return &metav1.Duration{Duration: time.Duration(*s) * time.Second}
	}
	return nil
}

// minAvailable counts pods of the whole job, first ranks first. It means something for
// elastic jobs alone: others wait for their last rank whatever it says, and would hold
// what they have meanwhile.
func (p *pass) minAvailable() *int32 {
	policy := p.in.Job.RunPolicy().SchedulingPolicy
	elastic := slices.ContainsFunc(p.in.Framework.Types, func(t frameworks.Type) bool { return p.in.Job.MinReplicas(t.Name) != nil })
	if policy == nil || policy.MinAvailable == nil || !elastic {
		return nil
	}
	return ptr.To(max(*policy.MinAvailable, 0))
}

// minCount of a pod set: its share of what is left of minAvailable, or else what
// the framework says is enough.
func minCount(count int32, left, least *int32) *int32 {
	switch {
	case left != nil:
		return ptr.To(min(count, *left))
	case least != nil:
		return ptr.To(max(min(count, *least), 0))
	}
	return nil
}
