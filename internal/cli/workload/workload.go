// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

// Workload is a job or a model with what belongs to it.
type Workload struct {
	Kind   Kind
	Object client.Object
	// Gang that the scheduler decides on; nil while it wants no resources. Of
	// several, one that waits.
	Gang *slipwayv1.Gang
	// Pods in rank order, or by age where they are all alike.
	Pods []corev1.Pod
	// silent are the nodes of them that do not answer, by name; see Hear.
	silent map[string]Silence
}

// String is kind/name.
func (w Workload) String() string { return w.Kind.Name + "/" + w.Object.GetName() }

// Rank of a pod: for pods that are alike its place by age.
func (w Workload) Rank(pod *corev1.Pod) int32 {
	if w.Kind.rank != nil {
		if rank, ok := w.Kind.rank(w, pod.Labels); ok {
			return rank
		}
	}
	return int32(slices.IndexFunc(w.Pods, func(p corev1.Pod) bool { return p.Name == pod.Name }))
}

// Alike says that no pod is different from the others.
func (w Workload) Alike() bool { return w.Kind.rank == nil }

// Ranks is how many ranks there are when all pods exist.
func (w Workload) Ranks() int32 {
	if w.Kind.ranks != nil {
		return w.Kind.ranks(w)
	}
	return int32(len(w.Pods))
}

// Assemble finds what belongs to an object among gangs and pods.
func Assemble(kind Kind, object client.Object, gangs []slipwayv1.Gang, pods []corev1.Pod) Workload {
	w := Workload{Kind: kind, Object: object}
	for i := range gangs {
		if gangs[i].Namespace != object.GetNamespace() || !metav1.IsControlledBy(&gangs[i], object) {
			continue
		}
		if w.Gang == nil || w.Gang.Status.IsPlaced() {
			w.Gang = &gangs[i]
		}
	}
	for _, pod := range pods {
		if pod.Namespace == object.GetNamespace() && pod.Labels[kind.Label] == object.GetName() {
			w.Pods = append(w.Pods, pod)
		}
	}
	w.sortPods()
	return w
}

func (w *Workload) sortPods() {
	slices.SortStableFunc(w.Pods, func(a, b corev1.Pod) int {
		if w.Kind.rank != nil {
			ra, _ := w.Kind.rank(*w, a.Labels)
			rb, _ := w.Kind.rank(*w, b.Labels)
			return cmp.Or(cmp.Compare(ra, rb), strings.Compare(a.Name, b.Name))
		}
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(a.Name, b.Name))
	})
}

// State of a workload.
type State struct {
	// Status is one word.
	Status string
	// Running of Total pods run, or answer.
	Running, Total int32
	// Reason for what is not as it should be, or "".
	Reason string
	// Ended says that nothing will run any more; Failed that it should have.
	Ended, Failed bool
	// EndedAt is when it ended; zero where that is not known.
	EndedAt time.Time
	// Stalled says that it waits for a person.
	Stalled bool
}

// State is what the conditions and the pods say.
func (w Workload) State() State {
	s := w.Kind.state(w)
	if w.Object.GetDeletionTimestamp() != nil {
		return w.terminating(s)
	}
	if words := w.silence(); words != "" && !s.Ended {
		if !w.Kind.Serves { // of those that do the ready ones are counted
			s.Running -= int32(len(w.unheard()))
		}
		if s.Status == StatusRunning && s.Running <= 0 {
			s.Status = StatusUnknown
		}
		s.Reason = strings.TrimPrefix(s.Reason+"; "+words, "; ")
	}
	s.Reason = strings.Join(strings.Fields(s.Reason), " ")
	s.Stalled = s.Stalled || s.Status == StatusWaiting && w.neverFits()
	return s
}

// neverFits says that the scheduler found no way for the gang to start, whatever else ends: it
// is too large, or its project is not there.
func (w Workload) neverFits() bool {
	if w.Gang == nil || w.Gang.Status.ObservedGeneration < w.Gang.Generation {
		return false
	}
	c := w.Gang.Status.Placed()
	return meta.IsStatusConditionTrue(w.Gang.Status.Conditions, slipwayv1.ConditionStalled) || c != nil && c.Reason == string(placement.NoQueue)
}

// Words of status that kinds share.
const (
	StatusPending  = "Pending"  // no controller has seen it
	StatusWaiting  = "Waiting"  // for its gang to be placed
	StatusStarting = "Starting" // placed, not all pods run
	StatusRunning  = "Running"
	StatusReady    = "Ready"
	StatusStopped  = "Stopped"
	StatusFailed   = "Failed"
	StatusUnknown  = "Unknown" // it ran when its nodes were last heard of
	// StatusTerminating is of what was deleted, and still holds something.
	StatusTerminating = "Terminating"
)

// unseen is the reason of what no controller has looked at.
const unseen = "no controller has seen it yet; see: slipway status"

// Promise of a start that its gang was given; nil for none.
func (w Workload) Promise() *slipwayv1.StartPromise {
	if w.Gang == nil {
		return nil
	}
	return w.Gang.Status.Promise
}

// unplaced is the scheduler's reason not to place the gang, false when it has.
func (w Workload) unplaced() (string, bool) {
	if w.Gang == nil {
		return "", false
	}
	c := w.Gang.Status.Placed()
	if c == nil {
		return "the scheduler has not decided yet", true
	}
	return cmp.Or(c.Message, c.Reason), c.Status != metav1.ConditionTrue
}
