// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// gates of gang and topology-aware scheduling as Kubernetes itself has them
// (KEP-4671 and KEP-5732), neither of which is on by default.
const gates = "--feature-gates=GenericWorkload=true,TopologyAwareWorkloadScheduling=true"

// UpstreamFlags are those of an API server that has what upstream's scheduler needs
// to place gangs.
func UpstreamFlags() []string {
	return []string{gates, "--runtime-config=scheduling.k8s.io/v1beta1=true"}
}

// StartUpstream starts Kubernetes' own scheduler, as it comes but for the gates and
// its limit on requests, and returns when it has bound a pod.
func (l *Lab) StartUpstream(ctx context.Context) error {
	cmd := exec.Command(filepath.Join(l.programs, "slipway-kube"), "role", "test-scheduler",
		"--kubeconfig", l.server.KubeconfigOf("scheduler"), "--", gates)
	if err := l.start("upstream's scheduler", cmd); err != nil {
		return err
	}
	b, err := l.Batch(ctx, "first")
	if err != nil {
		return err
	}
	if err := Submit(ctx, b, []*corev1.Pod{BoundPod("first", "", nil)}); err != nil {
		return err
	}
	if err := b.Running.Await(ctx, 1); err != nil {
		return fmt.Errorf("waiting for upstream's scheduler: %w", err)
	}
	return b.Remove(ctx)
}

// StartJobController starts Kubernetes' own controller of Jobs, which syncs as many at a time as the
// lab has requests under way, and returns when the process is there.
func (l *Lab) StartJobController() error {
	return l.start("Kubernetes' job controller", exec.Command(filepath.Join(l.programs, "slipway-kube"), "role", "test-controllers",
		"--kubeconfig", l.server.KubeconfigOf("supervisor"), "--run", "job-controller", "--", fmt.Sprintf("--concurrent-job-syncs=%d", parallel)))
}

// SubmitGroups submits gangs as PodGroups of upstream, each followed by its pods,
// a few requests at a time; it returns when the API server has them all.
func SubmitGroups(ctx context.Context, b *Batch, gangs []*slipwayv1.Gang) error {
	b.grouped = true
	var objects []client.Object
	for _, gang := range gangs {
		objects = append(objects, groupOf(gang))
		for _, pod := range podsOf(gang, 1) {
			pod.Spec.SchedulingGroup = &corev1.PodSchedulingGroup{PodGroupName: &gang.Name}
			objects = append(objects, pod)
		}
	}
	return Submit(ctx, b, objects)
}

// groupOf the pods of a gang, of which there is one set.
func groupOf(gang *slipwayv1.Gang) *schedulingv1beta1.PodGroup {
	set := &gang.Spec.PodSets[0]
	group := &schedulingv1beta1.PodGroup{ObjectMeta: metav1.ObjectMeta{Name: gang.Name}}
	group.Spec.SchedulingPolicy.Gang = &schedulingv1beta1.GangSchedulingPolicy{MinCount: set.Count}
	if t := set.Topology; t != nil {
		group.Spec.SchedulingConstraints = &schedulingv1beta1.PodGroupSchedulingConstraints{
			Topology: []schedulingv1beta1.TopologyConstraint{{Key: t.Required}},
		}
	}
	return group
}
