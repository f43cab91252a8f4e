// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/bench"
	"slipway.dev/slipway/test/scale/lab"
)

// firstStatus is about what a kubelet writes when a pod starts, as a merge patch.
const firstStatus = `{"status":{"phase":"Running","startTime":"2026-01-01T00:00:00Z",
	"conditions":[{"type":"Ready","status":"True"},{"type":"Initialized","status":"True"},{"type":"ContainersReady","status":"True"}],
	"containerStatuses":[{"name":"main","ready":true,"image":"example.org/none","imageID":"none","state":{"running":{}}}]}}`

const (
	// elsewhere is a node that the lab's kubelets do not play.
	elsewhere = "elsewhere"
	// requestsNamespace is that of no batch, so that the lab answers nothing that is in it.
	requestsNamespace = "requests"
)

// requests are made one after another, without a platform, in a namespace of their own.
type requests struct {
	lab   *lab.Lab
	count int
	bars  []bench.Bar
}

// measureRequests is what each request that a job of one GPU makes costs the API server by itself.
func measureRequests(ctx context.Context, o *options) ([]bench.Bar, error) {
	return inLab(ctx, o, 1, func(ctx context.Context, l *lab.Lab) ([]bench.Bar, error) {
		r := &requests{lab: l, count: o.requests.each}
		if err := l.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: requestsNamespace}}); err != nil {
			return nil, err
		}
		for _, measure := range []func(context.Context) error{r.pods, r.pods, r.podsOfGangs, r.bindings, r.gangs, r.jobs} {
			if err := measure(ctx); err != nil {
				return r.bars, err
			}
		}
		return r.bars[2:], nil // the first are warm
	})
}

// each makes so many requests of one kind, and is their cost in processor time of the API server.
func (r *requests) each(ctx context.Context, what string, do func(i int) error) error {
	before, err := r.lab.Processor(ctx)
	if err != nil {
		return err
	}
	for i := range r.count {
		if err := do(i); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	after, err := r.lab.Processor(ctx)
	r.bars = append(r.bars, bench.Observed(what+", processor time of the API server for each", milliseconds(after-before, r.count), "ms"))
	return err
}

func (r *requests) pods(ctx context.Context) error {
	return r.starts(ctx, "pods with their node", nil)
}

func (r *requests) podsOfGangs(ctx context.Context) error {
	return r.starts(ctx, "pods of Gangs", map[string]string{slipwayv1.LabelGang: "none"})
}

// starts pods with labels: they are made, and their kubelet writes that they run.
func (r *requests) starts(ctx context.Context, kind string, labels map[string]string) error {
	var all []*corev1.Pod
	for range r.count {
		pod := lab.BoundPod("", elsewhere, gpus(1))
		pod.Namespace, pod.GenerateName, pod.Labels = requestsNamespace, "pod-", labels
		all = append(all, pod)
	}
	if err := r.each(ctx, "POST pods, "+kind, func(i int) error { return r.lab.Client.Create(ctx, all[i]) }); err != nil {
		return err
	}
	return r.each(ctx, "PATCH pods/status, "+kind, func(i int) error {
		return r.lab.Client.Status().Patch(ctx, all[i], client.RawPatch(types.MergePatchType, []byte(firstStatus)))
	})
}

func (r *requests) bindings(ctx context.Context) error {
	var all []*corev1.Pod
	for range r.count {
		pod := lab.WaitingPod("", gpus(1))
		pod.Namespace, pod.GenerateName = requestsNamespace, "waits-"
		if err := r.lab.Client.Create(ctx, pod); err != nil {
			return err
		}
		all = append(all, pod)
	}
	return r.each(ctx, "POST pods/binding", func(i int) error {
		return r.lab.Client.SubResource("binding").Create(ctx, all[i], &corev1.Binding{Target: corev1.ObjectReference{Kind: "Node", Name: elsewhere}})
	})
}

func (r *requests) gangs(ctx context.Context) error {
	return customs(ctx, r, "gangs", func(name string) *slipwayv1.Gang { return newGang(name, 1, gpus(1)) }, func(g *slipwayv1.Gang) {
		g.Status.Conditions = []metav1.Condition{{Type: slipwayv1.ConditionPlaced, Status: metav1.ConditionTrue, Reason: "Placed", LastTransitionTime: metav1.Now()}}
		g.Status.Placement = []slipwayv1.PodSetPlacement{{Name: "worker", Slots: []slipwayv1.Slot{{Node: elsewhere, Count: 1}}}}
	})
}

func (r *requests) jobs(ctx context.Context) error {
	return customs(ctx, r, "pytorchjobs", func(name string) *kubeflowv1.PyTorchJob { return newJob(name, 1, gpus(1)) }, func(j *kubeflowv1.PyTorchJob) {
		j.Status.Conditions = []kubeflowv1.JobCondition{{Type: kubeflowv1.JobRunning, Status: corev1.ConditionTrue, Reason: "Running", LastTransitionTime: metav1.Now()}}
	})
}

// customs are objects of a custom kind: they are made, and their controller writes a status.
func customs[T client.Object](ctx context.Context, r *requests, resource string, make func(name string) T, report func(T)) error {
	all := numbered(r.count, make)
	if err := r.each(ctx, "POST "+resource, func(i int) error {
		all[i].SetNamespace(requestsNamespace)
		return r.lab.Client.Create(ctx, all[i])
	}); err != nil {
		return err
	}
	return r.each(ctx, "PUT "+resource+"/status", func(i int) error {
		report(all[i])
		return r.lab.Client.Status().Update(ctx, all[i])
	})
}
