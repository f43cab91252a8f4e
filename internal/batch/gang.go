// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"fmt"
	"maps"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

const (
	kind = "Job"
	// podSetName of the one pod set that a Job has.
	podSetName = "pod"
)

// jobs of batch/v1.
var jobs = podset.Jobs{Kind: kind, Label: batchv1.JobNameLabel}

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
	spec := podset.Terms(job, job.Spec.ActiveDeadlineSeconds)
	spec.Priority = p.in.Priority
	set := podset.Of(podSetName, count, &job.Spec.Template, p.in.Volumes.Nodes)
	set.Devices = p.in.Devices.Requests
	set.Tolerations = patient(set.Tolerations)
	spec.PodSets = []slipwayv1.PodSet{set}
	return spec
}

// patience with a node that does not answer, or is not well, that Kubernetes' API server gives
// every pod that does not say otherwise, in seconds (its admission plugin DefaultTolerationSeconds).
const patience = 300

// patient tolerations are those that the Job's pods will have. A pod is made again when the one on the
// lost node is deleted, and that is when its patience is over: a place elsewhere would be nobody's
// until then, and one on a node that is back before that should still be the pod's.
func patient(tolerations []corev1.Toleration) []corev1.Toleration {
	all := slices.Clone(tolerations)
	for _, taint := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		says := func(t corev1.Toleration) bool {
			return (t.Key == "" || t.Key == taint) && (t.Effect == "" || t.Effect == corev1.TaintEffectNoExecute)
		}
		if !slices.ContainsFunc(tolerations, says) {
			all = append(all, corev1.Toleration{Key: taint, Operator: corev1.TolerationOpExists,
				Effect: corev1.TaintEffectNoExecute, TolerationSeconds: ptr.To[int64](patience)})
		}
	}
	return all
}

// problems are the reasons why the Job cannot be queued as it is, a line each.
func (p *pass) problems() []string {
	problems := slices.Concat(slices.Sorted(maps.Values(p.in.Volumes.Missing)), slices.Sorted(maps.Values(p.in.Devices.Problems)))
	if p.in.InTheWay != "" {
		problems = append(problems, p.in.InTheWay)
	}
	if p.in.NoPodClass != "" {
		problems = append(problems, fmt.Sprintf("spec.template.spec.priorityClassName: there is no PriorityClass %s; make it, or name another in a Job made anew", p.in.NoPodClass))
	}
	template := &p.in.Job.Spec.Template
	problems = append(problems, podset.Problems("spec.template.metadata.annotations", template.Annotations)...)
	return append(problems, podset.TermProblems(p.in.Job)...)
}
