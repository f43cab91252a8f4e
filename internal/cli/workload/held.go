// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Holder of pods that are a workload of none of Kinds, as Loose names it: a Deployment, say, or a
// group. One pod, whatever it is part of, is its own.
type Holder struct{ kind, name string }

func (h Holder) String() string { return h.kind + "/" + h.name }

// Pod that is its own holder.
func Pod(name string) Holder { return Holder{kindOfPod, name} }

const kindOfPod = "pod"

// ParseHolder reads kind/name, where the kind is none of Kinds, as kubectl prints and takes it.
func ParseHolder(text string) (Holder, bool) {
	kind, name, _ := strings.Cut(text, "/")
	if _, err := ParseRef(text); err == nil || kind == "" || name == "" || strings.Contains(name, "/") {
		return Holder{}, false
	}
	kind, _, _ = strings.Cut(strings.ToLower(kind), ".") // a group
	for full, others := range map[string][]string{
		kindOfPod: {"pods", "po"}, "deployment": {"deployments", "deploy"}, "statefulset": {"statefulsets", "sts"}, "replicaset": {"replicasets", "rs"},
	} {
		for _, other := range others {
			if kind == other {
				kind = full
			}
		}
	}
	return Holder{kind, name}, true
}

// IsPod says that the holder is one pod.
func (h Holder) IsPod() bool { return h.kind == kindOfPod }

// Name without the kind.
func (h Holder) Name() string { return h.name }

// Among pods those that it holds, whichever scheduler binds them; nil when there are none.
func (h Holder) Among(pods []corev1.Pod) *Workload {
	var w *Workload
	for _, p := range pods {
		kind, name := "Pod", p.Name
		if !h.IsPod() {
			kind, name = holderOf(&p)
		}
		if strings.ToLower(kind) != h.kind || name != h.name {
			continue
		}
		if w == nil {
			w = newLoose(kind, name, &p)
			for _, k := range Kinds() {
				if p.Labels[k.Label] != "" {
					w.Kind.Container = k.Container // It is one pod of theirs.
				}
			}
		}
		w.Pods = append(w.Pods, p)
	}
	if w != nil {
		w.settle()
	}
	return w
}
