// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"slices"

	"github.com/google/go-cmp/cmp"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// check holds every plan against what the engine promises.
func (w *world) check(in observed, todo plan) {
	w.t.Helper()
	w.checkCreations(in, todo)
	w.checkStatus(in, todo)
	if todo.Hold > 0 && (todo.Hold > together || len(todo.Events) > 0 || finished(&todo.Status)) {
		w.t.Fatalf("%+v is held back for %s, with events %v", todo.Status, todo.Hold, todo.Events)
	}
	if isTrue(in.Job.Status(), kubeflowv1.JobFailed) {
		if diff := cmp.Diff(in.Job.Status().Conditions, todo.Status.Conditions); diff != "" {
			w.t.Fatalf("Failed is not final: %s", diff)
		}
	}
	for _, d := range todo.Delete {
		if d.Force && !in.LostNodes.Has(nodeOf(d.Object.(*corev1.Pod))) {
			w.t.Fatalf("%s is deleted by force although its node lives", d.Object.GetName())
		}
	}
}

func (w *world) checkCreations(in observed, todo plan) {
	w.t.Helper()
	exists := map[string]bool{}
	for _, pod := range in.Pods {
		exists[pod.Name] = true
	}
	made := map[string]int32{}
	for _, o := range todo.Create {
		pod, ok := o.(*corev1.Pod)
		if !ok {
			continue
		}
		if exists[pod.Name] {
			w.t.Fatalf("a second pod %s is made", pod.Name)
		}
		exists[pod.Name] = true
		made[pod.Labels["slipway.dev/pod-set"]]++
	}
	if len(made) == 0 {
		return
	}
	if !isPlaced(in.Gang) || finished(&todo.Status) || isSuspended(in.Job) {
		w.t.Fatalf("pods are made for a job that has no place, is finished or suspended: %v", made)
	}
	if len(in.Pods) > 0 {
		return
	}
	if !todo.Whole {
		w.t.Fatal("a failed start would leave half a gang")
	}
	for _, set := range in.Gang.Spec.PodSets {
		if n := made[set.Name]; n < ptr.Deref(set.MinCount, set.Count) {
			w.t.Fatalf("half a gang is made: %d of %d %s", n, set.Count, set.Name)
		}
	}
}

func (w *world) checkStatus(in observed, todo plan) {
	w.t.Helper()
	seen := map[kubeflowv1.JobConditionType]bool{}
	for _, c := range todo.Status.Conditions {
		if seen[c.Type] {
			w.t.Fatalf("condition %s is there twice", c.Type)
		}
		seen[c.Type] = true
	}
	if seen[kubeflowv1.JobRunning] && seen[kubeflowv1.JobRestarting] {
		w.t.Fatal("Running and Restarting are there together")
	}
	if finished(&todo.Status) {
		if todo.Status.CompletionTime == nil {
			w.t.Fatal("finished without a completion time")
		}
		if isTrue(&todo.Status, kubeflowv1.JobRunning) {
			w.t.Fatal("finished and Running")
		}
		if !finished(in.Job.Status()) && (todo.DropGang || slices.ContainsFunc(todo.Delete, unforced)) {
			w.t.Fatal("cleaned up before the end is written")
		}
	}
}

func unforced(d deletion) bool { return !d.Force }

// checkRest holds in a world that has come to rest.
func (w *world) checkRest() {
	w.t.Helper()
	if w.gang == nil || len(w.gang.Status.Placement) == 0 {
		for name, pod := range w.pods {
			if pod.DeletionTimestamp == nil && !finished(&w.job.Status) {
				w.t.Fatalf("%s lives without a place", name)
			}
		}
	}
	if isTrue(&w.job.Status, kubeflowv1.JobFailed) {
		for name, pod := range w.pods {
			if pod.DeletionTimestamp == nil && !ended(pod) {
				w.t.Fatalf("%s runs on though its job has failed", name)
			}
		}
	}
	if (finished(&w.job.Status) || isSuspended(w.observe().Job)) && w.gang != nil {
		for _, pod := range w.pods {
			if pod.DeletionTimestamp != nil {
				return
			}
		}
		w.t.Fatal("the gang outlives the job's wish for resources")
	}
}

func ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}
