// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/scheduler"
)

// ListScheduled loads the pods that the scheduler binds or holds to a node, of those whose fields
// are so; the empty namespace means all.
func ListScheduled(ctx context.Context, r client.Reader, namespace string, fields client.MatchingFields) ([]corev1.Pod, error) {
	var all []corev1.Pod
	for _, those := range Scheduled() {
		maps.Copy(those.Fields, fields)
		var pods corev1.PodList
		if err := r.List(ctx, &pods, those.Fields, those.Labels, client.InNamespace(namespace)); err != nil {
			return nil, fmt.Errorf("listing pods: %w", err)
		}
		all = append(all, pods.Items...)
	}
	return all, nil
}

// Selection of pods.
type Selection struct {
	Fields client.MatchingFields
	Labels client.MatchingLabels
}

// Scheduled are the pods that the scheduler binds, and apart from these those that it holds to
// a node: no one request selects both.
func Scheduled() []Selection {
	return []Selection{
		{Fields: client.MatchingFields{"spec.schedulerName": slipwayv1.SchedulerName}},
		{Fields: client.MatchingFields{"spec.schedulerName": corev1.DefaultSchedulerName}, Labels: client.MatchingLabels{slipwayv1.LabelHeld: "true"}},
	}
}

// Loose pods, of many, are those that the scheduler binds and that belong to no workload of
// Kinds: a Deployment's, say, a group's, or single ones. What they belong to together is a
// workload here, whose Kind is none of Kinds.
func Loose(pods []corev1.Pod) []Workload {
	found := map[types.NamespacedName]*Workload{}
	for _, p := range pods {
		if scheduler.GroupOf(&p) == "" || isOfKind(&p) {
			continue
		}
		kind, name := holderOf(&p)
		key := types.NamespacedName{Namespace: p.Namespace, Name: kind + "/" + name}
		w := found[key]
		if w == nil {
			w = newLoose(kind, name, &p)
			found[key] = w
		}
		w.Pods = append(w.Pods, p)
	}
	var all []Workload
	for _, w := range found {
		w.settle()
		all = append(all, *w)
	}
	return all
}

// newLoose workload, of pods like this one.
func newLoose(kind, name string, p *corev1.Pod) *Workload {
	object := &metav1.PartialObjectMetadata{}
	object.Name, object.Namespace, object.Labels = name, p.Namespace, p.Labels
	return &Workload{Kind: looseKind(kind), Object: object}
}

// settle a loose workload that has all its pods.
func (w *Workload) settle() {
	w.sortPods()
	w.heed()
	w.Object.SetCreationTimestamp(w.Pods[0].CreationTimestamp)
}

// ending says that a pod was told to end and has not.
func ending(p corev1.Pod) bool {
	return p.DeletionTimestamp != nil && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed
}

func isOfKind(p *corev1.Pod) bool {
	return slices.ContainsFunc(Kinds(), func(k Kind) bool { return p.Labels[k.Label] != "" })
}

// holderOf a pod is the group that it is placed with, or whoever makes others like it, or
// itself: a kind and a name that "slipway why" takes.
func holderOf(p *corev1.Pod) (kind, name string) {
	switch group, name, _ := strings.Cut(scheduler.GroupOf(p), "/"); group {
	case "group":
		return "Group", name
	case "podgroup":
		return "PodGroup", name
	}
	owner := metav1.GetControllerOf(p)
	if owner == nil {
		return "Pod", p.Name
	}
	// A Deployment's ReplicaSets have its name and a hash, which their pods tell.
	if hash := p.Labels[appsv1.DefaultDeploymentUniqueLabelKey]; owner.Kind == "ReplicaSet" && hash != "" {
		if name, is := strings.CutSuffix(owner.Name, "-"+hash); is {
			return "Deployment", name
		}
	}
	return owner.Kind, owner.Name
}

// looseState counts pods; those that have ended count for what has not been made again, and those
// that were told to end do not where others stay: they have been replaced, or are too many.
func looseState(w Workload) State {
	if w.Object.GetDeletionTimestamp() == nil {
		w.Pods = slices.DeleteFunc(slices.Clone(w.Pods), ending)
	}
	state, why := State{Running: w.running()}, ""
	failed := false
	for i := range w.Pods {
		switch p := &w.Pods[i]; {
		case p.Status.Phase == corev1.PodSucceeded:
		case p.Status.Phase == corev1.PodFailed:
			failed = true
		case p.Spec.NodeName == "":
			why = cmp.Or(why, Unscheduled(p))
			fallthrough
		default:
			state.Total++
		}
	}
	switch {
	case state.Total == 0:
		state.Status, state.Ended, state.Failed, state.Total = "Succeeded", true, failed, int32(len(w.Pods))
		if failed {
			state.Status, state.Reason = StatusFailed, w.complaints()
		}
	case why != "" && state.Running == 0:
		state.Status, state.Reason = StatusWaiting, why
	case state.Running == state.Total, why != "":
		state.Status, state.Reason = StatusRunning, w.complaints()
	default:
		state.Status, state.Reason = StatusStarting, w.starting()
	}
	return state
}
