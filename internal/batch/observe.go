// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"context"
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

// labelPriority is Kueue's; it names a PriorityClass that counts in the queue alone.
const labelPriority = "kueue.x-k8s.io/priority-class"

// observe gathers what the decision needs.
func (r *reconciler) observe(ctx context.Context, job *batchv1.Job) (observed, error) {
	in := observed{Job: job}
	if err := r.observeGang(ctx, &in); err != nil {
		return in, err
	}
	if finished(job) {
		return in, nil
	}
	if err := in.observePriority(podset.PriorityIn(ctx, r.client)); err != nil {
		return in, err
	}
	if !isSuspended(job) {
		return in, nil // Where its pods may go is settled.
	}
	var err error
	const path = "spec.template.spec"
	if in.Volumes, err = podset.FindVolumes(ctx, r.client, r.live, job.Namespace, path, &job.Spec.Template.Spec); err != nil {
		return in, err
	}
	in.Devices, err = podset.FindDevices(ctx, r.client, r.live, job.Namespace, path, &job.Spec.Template.Spec)
	return in, err
}

func (r *reconciler) observeGang(ctx context.Context, in *observed) error {
	gang := &slipwayv1.Gang{}
	key := client.ObjectKey{Namespace: in.Job.Namespace, Name: gangName(in.Job)}
	if err := r.client.Get(ctx, key, gang); err != nil {
		return wrap(client.IgnoreNotFound(err), "reading gang %s", key.Name)
	}
	switch {
	case !metav1.IsControlledBy(gang, in.Job):
		in.InTheWay = fmt.Sprintf("gang %s is in the way; delete it, or wait until the job that it belongs to is gone", key.Name)
	case gang.DeletionTimestamp != nil:
		in.InTheWay = fmt.Sprintf("gang %s of an earlier turn is still going", key.Name)
	default:
		in.Gang = gang
	}
	return nil
}

// systemPrefix begins the names of the classes that Kubernetes keeps for itself.
const systemPrefix = "system-"

// observePriority is that of the class named for the queue, or else for the pods. One for the
// queue that does not exist counts as none, and so does one of the system's, where nobody asks who
// may use it. Pods that name one that does not exist are refused by the API server, so that the Job
// waits for it.
func (in *observed) observePriority(of podset.Priority) error {
	class := in.Job.Spec.Template.Spec.PriorityClassName
	ofPods, err := of(class)
	if err == nil && ofPods == nil {
		in.NoPodClass = class
		ofPods, err = of("")
	}
	if err != nil {
		return err
	}
	in.Priority = *ofPods
	queued := in.Job.Labels[labelPriority]
	if queued == "" {
		return nil
	}
	var ofQueue *int32
	if !strings.HasPrefix(queued, systemPrefix) {
		if ofQueue, err = of(queued); err != nil {
			return err
		}
	}
	if ofQueue == nil {
		in.NoClass = append(in.NoClass, queued)
		return nil
	}
	in.Priority = *ofQueue
	return nil
}

// classWarning says which class the Job names for the queue in vain, and what counts instead; empty when
// it names none, or one that is there.
func (in *observed) classWarning() string {
	if len(in.NoClass) == 0 {
		return ""
	}
	why := "there is no PriorityClass " + in.NoClass[0]
	help := "make it, or name another"
	if strings.HasPrefix(in.NoClass[0], systemPrefix) {
		why, help = in.NoClass[0]+" is for Kubernetes' own pods", "name another"
	}
	return fmt.Sprintf("metadata.labels[%s]: %s, and the priority is %d; %s", labelPriority, why, in.Priority, help)
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
