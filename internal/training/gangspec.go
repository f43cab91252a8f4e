// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"maps"
	"slices"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
	"slipway.dev/slipway/internal/training/frameworks"
)

// gangSpec is what the job asks of the scheduler, pod sets in rank order.
func (p *pass) gangSpec() slipwayv1.GangSpec {
	job := p.in.Job
	spec := podset.Terms(job.Object(), job.RunPolicy().ActiveDeadlineSeconds)
	spec.Priority = ptr.Deref(p.in.Priority, 0)
	left := p.minAvailable()
	for _, t := range p.in.Framework.Types {
		replica := job.Replicas()[t.Name]
		if replica == nil {
			continue
		}
		set := podset.Of(podSetName(t.Name), ptr.Deref(replica.Replicas, 1), &replica.Template, p.in.Volumes)
		set.Devices = p.in.Devices[t.Name]
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
