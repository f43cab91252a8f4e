// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

// Silence is a node of which nobody hears: what is said of its pods is what was true before.
type Silence struct {
	// Since when, of what is not known for a node that is not there any more.
	Since time.Time
	// Tainted is when Kubernetes began to count how long pods tolerate it.
	Tainted time.Time
	// Ours is a node that "slipway up" made.
	Ours bool
}

// Silent says since when a node does not answer, if it does not; nil is a node that is gone.
func Silent(n *corev1.Node) (Silence, bool) {
	if n == nil {
		return Silence{}, true
	}
	for _, c := range n.Status.Conditions {
		if c.Type != corev1.NodeReady || c.Status != corev1.ConditionUnknown {
			continue
		}
		s := Silence{Since: c.LastTransitionTime.Time, Tainted: c.LastTransitionTime.Time, Ours: n.Labels[labelMachine] != ""}
		for _, t := range n.Spec.Taints {
			if t.Key == corev1.TaintNodeUnreachable && t.Effect == corev1.TaintEffectNoExecute && t.TimeAdded != nil {
				s.Tainted = t.TimeAdded.Time
			}
		}
		return s, true
	}
	return Silence{}, false
}

// Listen for the nodes of pods that may be said to run though nobody hears of them. When a
// node falls silent its pods are marked as not ready, so that only the nodes of such pods are
// asked about, and those of what was deleted. Who may not read nodes is not told.
func Listen(ctx context.Context, r client.Reader, all []Workload) error {
	nodes := map[string]*corev1.Node{}
	for _, w := range all {
		for i := range w.Pods {
			name := w.Pods[i].Spec.NodeName
			if _, known := nodes[name]; known || !doubtful(&w.Pods[i]) && !lingers(w, &w.Pods[i]) {
				continue
			}
			n := &corev1.Node{}
			err := r.Get(ctx, client.ObjectKey{Name: name}, n)
			switch {
			case apierrors.IsForbidden(err):
				return nil
			case apierrors.IsNotFound(err):
				n = nil
			case err != nil:
				return fmt.Errorf("reading node %s: %w", name, err)
			}
			nodes[name] = n
		}
	}
	for i := range all {
		all[i].Hear(nodes)
	}
	return nil
}

// Hear of nodes, by name.
func (w *Workload) Hear(nodes map[string]*corev1.Node) {
	w.silent = map[string]Silence{}
	for name, n := range nodes {
		if s, is := Silent(n); is {
			w.silent[name] = s
		}
	}
}

// doubtful is a pod that runs, as it was last said, and is not ready.
func doubtful(p *corev1.Pod) bool {
	return p.Spec.NodeName != "" && p.DeletionTimestamp == nil && p.Status.Phase == corev1.PodRunning && slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status != corev1.ConditionTrue
	})
}

// lingers is a pod of what was deleted, which its node may never say has ended.
func lingers(w Workload, p *corev1.Pod) bool {
	return w.Object.GetDeletionTimestamp() != nil && p.Spec.NodeName != "" && p.DeletionTimestamp != nil
}

// unheard are the pods on silent nodes.
func (w Workload) unheard() []*corev1.Pod {
	var all []*corev1.Pod
	for i := range w.Pods {
		if _, is := w.silent[w.Pods[i].Spec.NodeName]; is && doubtful(&w.Pods[i]) {
			all = append(all, &w.Pods[i])
		}
	}
	return all
}

// Unheard is how many pods are on nodes that do not answer, and what is said of them.
func (w Workload) Unheard() (int, string) { return len(w.unheard()), w.silence() }

// silence in words: which node, since when, what will happen, and what a person can do.
func (w Workload) silence() string {
	return w.about(w.unheard())
}

// Silence says the same of one pod; empty for one on a node that answers.
func (w Workload) Silence(pod *corev1.Pod) string {
	return w.about(slices.DeleteFunc(w.unheard(), func(p *corev1.Pod) bool { return p.Name != pod.Name }))
}

// about pods on silent nodes, those on the first one's in particular.
func (w Workload) about(pods []*corev1.Pod) string {
	if len(pods) == 0 {
		return ""
	}
	node := pods[0].Spec.NodeName
	there := slices.DeleteFunc(slices.Clone(pods), func(p *corev1.Pod) bool { return p.Spec.NodeName != node })
	what := "pod " + pods[0].Name + " there is "
	if len(there) > 1 {
		what = placement.Count(len(there), "pod") + " there are "
	}
	text := w.silent[node].Words(node) + "; " + what + w.next(there)
	if more := len(pods) - len(there); more > 0 {
		text += fmt.Sprintf(" (so it is with %s more, on other nodes)", placement.Count(more, "pod"))
	}
	return text
}

// Words about a node.
func (s Silence) Words(node string) string {
	if s.Since.IsZero() {
		return "node " + node + " is gone"
	}
	return "node " + node + " does not answer since " + s.Since.UTC().Format(time.RFC3339)
}

// Remedy is what a person can do about the node: one that "slipway up" made is started again, or given up
// with all that it has on its machine.
func (s Silence) Remedy(node string) string {
	if s.Ours {
		return "to start it again: slipway node add " + node + "; if it will not come back: slipway node rm " + node
	}
	return "if it will not come back: slipway kubectl delete node " + node
}

// labelMachine is on nodes that "slipway up" made; package node of the embedded Kubernetes sets it.
const labelMachine = "slipway.dev/machine"

// next is what becomes of pods on a silent node: they are made again when they have
// tolerated it for long enough. Of a gang whose pods do not that is at once, if it has
// another place for them.
func (w Workload) next(pods []*corev1.Pod) string {
	node := pods[0].Spec.NodeName
	s := w.silent[node]
	unless := "; " + s.Remedy(node)
	until, ends := s.Tainted, true
	for _, p := range pods {
		end, is := s.tolerated(w.tolerations(p))
		if ends = ends && is; end.After(until) {
			until = end
		}
	}
	why, waits := w.unplaced()
	switch {
	case s.Since.IsZero():
		return "made again elsewhere"
	case waits && why != "":
		return "made again as soon as another node has room, if it does not answer before" + unless
	case !ends:
		return "kept until it answers" + unless
	case metav1.GetControllerOf(pods[0]) == nil && w.Gang == nil:
		return "deleted at " + until.UTC().Format(time.RFC3339) + " if it does not answer before, and nobody makes it again"
	case until.After(s.Tainted):
		return "made again elsewhere at " + until.UTC().Format(time.RFC3339) + " if it does not answer before" + unless
	}
	return "made again elsewhere at once"
}

// tolerations of a pod or, where a gang has the places of its pods, of the gang's: what the
// API server adds to those of pods is not waited for.
func (w Workload) tolerations(p *corev1.Pod) []corev1.Toleration {
	if w.Gang != nil && p.Labels[slipwayv1.LabelRank] != "" {
		for i := range w.Gang.Spec.PodSets {
			if set := &w.Gang.Spec.PodSets[i]; set.Name == p.Labels[slipwayv1.LabelPodSet] {
				return set.Tolerations
			}
		}
	}
	return p.Spec.Tolerations
}

// tolerated is until when who has these tolerations stays on the node; false is for ever.
func (s Silence) tolerated(tolerations []corev1.Toleration) (time.Time, bool) {
	until, ends := s.Tainted, true
	for _, t := range tolerations {
		of := t.Key == corev1.TaintNodeUnreachable || t.Key == "" && t.Operator == corev1.TolerationOpExists
		if !of || t.Effect != "" && t.Effect != corev1.TaintEffectNoExecute {
			continue
		}
		ends = ends && t.TolerationSeconds != nil
		if end := s.Tainted.Add(time.Duration(ptr.Deref(t.TolerationSeconds, 0)) * time.Second); end.After(until) {
			until = end
		}
	}
	return until, ends
}
