// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// kubectlKinds are the names of loose kinds that kubectl takes besides ours, without their API group.
var kubectlKinds = map[string]string{
	"pods": podKind, "po": podKind,
	"deployments": "deployment", "deploy": "deployment",
	"statefulsets": "statefulset", "sts": "statefulset",
	"replicasets": "replicaset", "rs": "replicaset",
}

const podKind = "pod"

// Pod by itself, whatever it is part of.
func Pod() Kind { return looseKind("Pod") }

// IsPod says that a workload of the kind is one pod.
func (k Kind) IsPod() bool { return k.Name == podKind }

// looseKind is of what holds pods, by the title of its kind; see Loose.
func looseKind(title string) Kind {
	return Kind{Name: strings.ToLower(title), Title: title, state: looseState}
}

// parseLoose reads a kind that is none of Kinds, as kubectl prints and takes it: deployment.apps, say.
func parseLoose(text string) Kind {
	name, _, _ := strings.Cut(strings.ToLower(text), ".")
	return looseKind(cmp.Or(kubectlKinds[name], name))
}

// getLoose loads what holds pods, whichever scheduler binds these. While there are none it is not there.
func getLoose(ctx context.Context, r client.Reader, kind Kind, namespace, name string) (Workload, error) {
	var pods corev1.PodList
	if err := r.List(ctx, &pods, client.InNamespace(namespace)); err != nil {
		return Workload{}, fmt.Errorf("listing pods: %w", err)
	}
	var w *Workload
	for _, p := range pods.Items {
		title, holder := kind.holderOf(&p)
		if strings.ToLower(title) != kind.Name || holder != name {
			continue
		}
		if w == nil {
			w = newLoose(title, name, &p)
			w.Kind.Container = containerOf(&p)
		}
		w.Pods = append(w.Pods, p)
	}
	if w == nil {
		return Workload{}, NoneError{fmt.Sprintf("no pod in namespace %s is of %s/%s; see what there is with: slipway ps -A", namespace, kind.Name, name)}
	}
	w.settle()
	return *w, nil
}

// holderOf a pod, where one is looked for that is of the kind: a pod is its own.
func (k Kind) holderOf(p *corev1.Pod) (title, name string) {
	if k.IsPod() {
		return Pod().Title, p.Name
	}
	return holderOf(p)
}

// containerOf a pod whose log matters to the kind of workload that it is part of, empty for its first.
func containerOf(p *corev1.Pod) string {
	for _, k := range Kinds() {
		if p.Labels[k.Label] != "" {
			return k.Container
		}
	}
	return ""
}
