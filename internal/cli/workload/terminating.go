// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"slipway.dev/slipway/internal/placement"
)

// terminating is the state of a workload that was deleted, from the one that its kind tells:
// its conditions are those of before, and will not change any more.
func (w Workload) terminating(before State) State {
	before.Total = max(before.Total, int32(len(w.Pods)))
	if before.Ended {
		return before
	}
	before.Status, before.Stalled, before.Reason = StatusTerminating, false, w.remaining()
	return before
}

// remaining is what a workload that was deleted still holds, and until when; or, where that is
// nothing, what keeps its object.
func (w Workload) remaining() string {
	holding := w.Holding()
	if len(holding) == 0 {
		if finalizers := w.Object.GetFinalizers(); len(finalizers) > 0 {
			return "has no places any more; it goes as soon as its finalizers do: " + strings.Join(finalizers, ", ")
		}
		return ""
	}
	until := lastEnd(holding)
	still, told := " still has its place", "it was told to end, and has"
	if len(holding) > 1 {
		still, told = " still have their places", "they were told to end, and have"
	}
	words := placement.Count(len(holding), "pod") + still
	if until.IsZero() {
		return words + ", about to be told to end"
	}
	words += "; " + told + " time for that until " + until.UTC().Format(time.RFC3339)
	for _, p := range holding {
		if s, is := w.silent[p.Spec.NodeName]; is && !s.Since.IsZero() {
			return words + "; " + s.Words(p.Spec.NodeName) + ", so that nobody can say that " + p.Name + " has ended; " + s.Remedy(p.Spec.NodeName)
		}
	}
	return words
}

// Holding are the pods that take room on a node.
func (w Workload) Holding() []*corev1.Pod {
	return slices.DeleteFunc(w.alive(), func(p *corev1.Pod) bool { return p.Spec.NodeName == "" })
}

// alive are the pods that have not ended.
func (w Workload) alive() []*corev1.Pod {
	var all []*corev1.Pod
	for i := range w.Pods {
		if p := &w.Pods[i]; p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			all = append(all, p)
		}
	}
	return all
}

// lastEnd is until when the last of some pods has time to end; zero where one was not told to.
func lastEnd(pods []*corev1.Pod) time.Time {
	var last time.Time
	for _, p := range pods {
		if p.DeletionTimestamp == nil {
			return time.Time{}
		}
		if p.DeletionTimestamp.After(last) {
			last = p.DeletionTimestamp.Time
		}
	}
	return last
}

// Remains of a job that is gone itself: of pods that have the label of a kind, those that a job
// of it made and that end. Nil for any others.
func Remains(kind Kind, pods []corev1.Pod) *Workload {
	var w *Workload
	for _, p := range pods {
		uid, is := kind.made(&p)
		if p.DeletionTimestamp == nil || !is {
			continue
		}
		if w == nil {
			w = &Workload{Kind: looseKind(kind.Title), Object: gone(&p, uid, p.Labels[kind.Label])}
		}
		w.Pods = append(w.Pods, p)
	}
	return w
}

// made says that a workload of the kind made a pod that has the kind's label, and which: its UID is empty
// where the pod does not say it.
func (k Kind) made(p *corev1.Pod) (types.UID, bool) {
	owner := metav1.GetControllerOf(p)
	switch {
	case owner == nil:
		return "", false
	case k.maker != nil:
		return "", owner.Kind == "ReplicaSet" && strings.HasPrefix(owner.Name, k.maker(p.Labels[k.Label])+"-")
	}
	return owner.UID, owner.Kind == k.Title
}

// gone is an object of which no more is known than what a pod of it tells.
func gone(p *corev1.Pod, uid types.UID, name string) *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.Namespace, object.Name, object.UID, object.Labels = p.Namespace, name, uid, p.Labels
	object.CreationTimestamp, object.DeletionTimestamp = p.CreationTimestamp, p.DeletionTimestamp
	return object
}

// heed the end of pods that no object stands for: when all that are left are told to end, so
// is what they belong to.
func (w *Workload) heed() {
	if end := lastEnd(w.alive()); !end.IsZero() {
		w.Object.SetDeletionTimestamp(&metav1.Time{Time: end})
	}
}
