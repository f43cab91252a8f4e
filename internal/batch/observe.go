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

// observePriority is that of the class named for the queue, or else for the pods. A
// class that does not exist counts as none: pods that name one are refused by the
// API server. So does one of the system's that is named for the queue alone, where
// nobody asks who may use it.
func (in *observed) observePriority(of podset.Priority) error {
	queued := in.Job.Labels[labelPriority]
	if strings.HasPrefix(queued, systemPrefix) {
		in.NoClass, queued = append(in.NoClass, queued), ""
	}
	for _, name := range []string{queued, in.Job.Spec.Template.Spec.PriorityClassName} {
		if name == "" {
			continue
		}
		priority, err := of(name)
		if err != nil {
			return err
		}
		if priority != nil {
			in.Priority = *priority
			return nil
		}
		in.NoClass = append(in.NoClass, name)
	}
	priority, err := of("")
	if err == nil {
		in.Priority = *priority
	}
	return err
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
