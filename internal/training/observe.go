// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"context"
	"fmt"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

// observe gathers what the decision needs. The job passed in is not changed.
func (r *reconciler) observe(ctx context.Context, object client.Object) (observed, error) {
	in := observed{
		Now:       time.Now(),
		Framework: r.framework,
		Job:       r.framework.Open(object.DeepCopyObject().(client.Object)),
		Blocked:   newBlocked(),
		Volumes:   map[string]*corev1.NodeSelector{},
		Devices:   map[kubeflowv1.ReplicaType][]slipwayv1.DeviceRequest{},
		LostNodes: sets.New[string](),
	}
	in.Problems = validate(in.Framework, in.Job)
	if len(in.Problems) == 0 {
		in.Job.Default()
	}
	for _, step := range []func(context.Context, *observed) error{
		r.observeGang, r.observeOwned, r.observeNames, r.observePriority, r.observeVolumes, r.observeNodes,
	} {
		if err := step(ctx, &in); err != nil {
			return observed{}, err
		}
	}
	return in, nil
}

func (r *reconciler) observeGang(ctx context.Context, in *observed) error {
	job := in.Job.Object()
	gang := &slipwayv1.Gang{}
	key := client.ObjectKey{Namespace: job.GetNamespace(), Name: podset.GangName(in.Framework.Kind, job.GetName())}
	if err := r.client.Get(ctx, key, gang); err != nil {
		return wrap(client.IgnoreNotFound(err), "reading gang %s", key.Name)
	}
	if !metav1.IsControlledBy(gang, job) {
		in.Blocked.Gang = inTheWay("Gang", gang, *in)
		return nil
	}
	in.Gang = gang
	return nil
}

// observeOwned looks at the cache's own objects: copies of hundreds of pods for each
// change of one of them would be most of the work of a pass. Nobody changes them.
func (r *reconciler) observeOwned(ctx context.Context, in *observed) error {
	job := in.Job.Object()
	mine := []client.ListOption{client.InNamespace(job.GetNamespace()),
		client.MatchingFields{indexOwner: string(job.GetUID())}, client.UnsafeDisableDeepCopy}
	var pods corev1.PodList
	if err := r.client.List(ctx, &pods, mine...); err != nil {
		return fmt.Errorf("listing pods: %w", err)
	}
	var services corev1.ServiceList
	if err := r.client.List(ctx, &services, mine...); err != nil {
		return fmt.Errorf("listing services: %w", err)
	}
	for i := range pods.Items {
		if err := r.keep(ctx, in, &pods.Items[i]); err != nil {
			return err
		}
	}
	for i := range services.Items {
		if err := r.keep(ctx, in, &services.Items[i]); err != nil {
			return err
		}
	}
	return nil
}

// observePriority resolves the class by name. Only a job that has no gang yet waits
// for a class that is missing.
func (r *reconciler) observePriority(ctx context.Context, in *observed) error {
	field, name := priorityClass(*in)
	var err error
	in.Priority, err = podset.PriorityIn(ctx, r.client)(name)
	if err == nil && in.Priority == nil && in.Gang == nil {
		in.Blocked.Fields[field] = fmt.Sprintf("%s: there is no PriorityClass %s; make it or name another", field, name)
	}
	return err
}

// priorityClass of the job: the policy's, or else the first replica type's.
func priorityClass(in observed) (field, name string) {
	if p := in.Job.RunPolicy().SchedulingPolicy; p != nil && p.PriorityClass != "" {
		return "spec.runPolicy.schedulingPolicy.priorityClass", p.PriorityClass
	}
	for _, t := range in.Framework.Types {
		if spec := in.Job.Replicas()[t.Name]; spec != nil && spec.Template.Spec.PriorityClassName != "" {
			return fmt.Sprintf("spec.%s.%s.template.spec.priorityClassName", in.Framework.SpecField, t.Name), spec.Template.Spec.PriorityClassName
		}
	}
	return "", ""
}

// observeNodes asks only about nodes that are under suspicion, hence past the
// cache: a cache of every node would be costlier than these few reads.
func (r *reconciler) observeNodes(ctx context.Context, in *observed) error {
	for name := range suspects(*in) {
		var node corev1.Node
		err := r.live.Get(ctx, client.ObjectKey{Name: name}, &node)
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("reading node %s: %w", name, err)
		}
		if err != nil || unreachable(&node) {
			in.LostNodes.Insert(name)
		}
	}
	return nil
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
