// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// observe gathers what the decision needs. The job passed in is not changed.
func (r *reconciler) observe(ctx context.Context, object client.Object) (observed, error) {
	in := observed{
		Now:       time.Now(),
		Framework: r.framework,
		Job:       r.framework.Open(object.DeepCopyObject().(client.Object)),
		Blocked:   map[string]string{},
		Volumes:   map[string]*corev1.NodeSelector{},
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
	key := client.ObjectKey{Namespace: job.GetNamespace(), Name: GangName(in.Framework.Kind, job.GetName())}
	if err := r.client.Get(ctx, key, gang); err != nil {
		return wrap(client.IgnoreNotFound(err), "reading gang %s", key.Name)
	}
	if !metav1.IsControlledBy(gang, job) {
		in.Blocked[key.Name] = inTheWay("Gang", gang, *in)
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

// observePriority resolves the class by name, as admission does for pods. Only a
// job that has no gang yet waits for a class that is missing.
func (r *reconciler) observePriority(ctx context.Context, in *observed) error {
	field, name := priorityClass(*in)
	if name == "" {
		return r.observeDefaultPriority(ctx, in)
	}
	var class schedulingv1.PriorityClass
	switch err := r.client.Get(ctx, client.ObjectKey{Name: name}, &class); {
	case err == nil:
		in.Priority = &class.Value
	case !apierrors.IsNotFound(err):
		return fmt.Errorf("reading priority class %s: %w", name, err)
	case in.Gang == nil:
		in.Blocked[field] = fmt.Sprintf("%s: there is no PriorityClass %s; make it or name another", field, name)
	}
	return nil
}

// observeDefaultPriority takes the default class's or, without one, zero. Of
// several defaults the lowest counts, as in admission.
func (r *reconciler) observeDefaultPriority(ctx context.Context, in *observed) error {
	var classes schedulingv1.PriorityClassList
	if err := r.client.List(ctx, &classes); err != nil {
		return fmt.Errorf("listing priority classes: %w", err)
	}
	in.Priority = ptr.To(defaultPriority(classes.Items))
	return nil
}

func defaultPriority(classes []schedulingv1.PriorityClass) int32 {
	var lowest *int32
	for i := range classes {
		if c := &classes[i]; c.GlobalDefault && (lowest == nil || c.Value < *lowest) {
			lowest = &c.Value
		}
	}
	return ptr.Deref(lowest, 0)
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
