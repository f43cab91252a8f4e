// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"cmp"
	"maps"
	"strconv"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

// newPod makes the pod of a rank, on the node that the gang was given.
func newPod(in observed, r *rank, attempt int32) *corev1.Pod {
	template := r.spec.Template.DeepCopy()
	pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	pod.Name, pod.GenerateName, pod.Namespace = r.name, "", in.Job.Object().GetNamespace()
	pod.OwnerReferences = []metav1.OwnerReference{ownerOf(in)}
	if pod.Labels == nil {
		pod.Labels = map[string]string{}
	}
	maps.Copy(pod.Labels, podLabels(in, r))
	if attempt > 0 {
		metav1.SetMetaDataAnnotation(&pod.ObjectMeta, annotationAttempt, strconv.Itoa(int(attempt)))
	}
	env := in.Job.Env(r.replica, r.index)
	for i := range pod.Spec.Containers {
		pod.Spec.Containers[i].Env = append(pod.Spec.Containers[i].Env, env...)
	}
	pod.Spec.RestartPolicy = podRestartPolicy(r.spec.RestartPolicy)
	assign(&pod.Spec, r.node)
	return pod
}

// podRestartPolicy leaves the judgement of exit codes to us.
func podRestartPolicy(policy kubeflowv1.RestartPolicy) corev1.RestartPolicy {
	if policy == kubeflowv1.RestartPolicyExitCode {
		return corev1.RestartPolicyNever
	}
	return corev1.RestartPolicy(policy)
}

// assign sends the pod to its node: at once or, where a volume, a claim or a
// gate stands before that, through the default scheduler, which is left no
// choice of node.
func assign(spec *corev1.PodSpec, node string) {
	spec.NodeName = ""
	if needsBinding(spec) {
		spec.Affinity = podset.Pinned(spec.Affinity, node)
		return
	}
	spec.NodeName = node
}

func needsBinding(spec *corev1.PodSpec) bool {
	for _, v := range spec.Volumes {
		if v.PersistentVolumeClaim != nil || v.Ephemeral != nil {
			return true
		}
	}
	return len(spec.ResourceClaims) > 0 || len(spec.SchedulingGates) > 0
}

// nodeOf is where assign sent the pod.
func nodeOf(pod *corev1.Pod) string {
	return cmp.Or(pod.Spec.NodeName, podset.PinnedTo(pod.Spec.Affinity))
}

// warnOfIgnored tells, when a gang starts, which parts of the spec are not
// followed.
func (p *pass) warnOfIgnored() {
	for _, what := range p.in.Job.Ignored() {
		p.emit(notFollowedEvent(what))
	}
	for _, t := range p.in.Framework.Types {
		spec := p.in.Job.Replicas()[t.Name]
		if spec == nil {
			continue
		}
		if spec.Template.Spec.RestartPolicy != "" {
			p.emit(restartPolicyEvent(t.Name))
		}
		if s := spec.Template.Spec.SchedulerName; s != "" && s != corev1.DefaultSchedulerName {
			p.emit(schedulerEvent(t.Name, s))
		}
	}
}

func podLabels(in observed, r *rank) map[string]string {
	labels := rankLabels(in, r)
	if in.Job.Leads(r.replica, r.index) {
		labels[kubeflowv1.JobRoleLabel] = "master"
	}
	labels[slipwayv1.LabelGang] = podset.GangName(in.Framework.Kind, in.Job.Object().GetName())
	labels[slipwayv1.LabelPodSet] = podSetName(r.replica)
	labels[slipwayv1.LabelRank] = strconv.Itoa(int(r.index))
	return labels
}
