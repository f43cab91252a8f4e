// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// blockedDelay is how long to wait before looking again for something of which it is not
// told: a pod of somebody else's that is in the way, or a pod that was refused.
const blockedDelay = 30 * time.Second

// reapDelay is how often to ask whether the node of a pod that should have gone
// by now is still there.
const reapDelay = 10 * time.Second

// reapSlack is what a living kubelet may take, beyond the time that a deletion
// gives the containers, to report the pod gone.
const reapSlack = 2 * time.Second

// trim deletes what the spec does not ask for (any more).
func (p *pass) trim() {
	wanted := make(sets.Set[string], len(p.ranks))
	for _, r := range p.ranks {
		wanted.Insert(r.name)
	}
	for _, pod := range p.in.Pods {
		if !wanted.Has(pod.Name) {
			p.delete(pod, false)
		}
	}
	for _, service := range p.in.Services {
		if !wanted.Has(service.Name) {
			p.delete(service, false)
		}
	}
}

// repair brings every rank that has a place to have a pod there, and a name. The
// first rank's name, for which the others look, is made first, then the pods, each to
// have its node as early as can be, and the other names while the pods start.
func (p *pass) repair() {
	var pods, names []client.Object
	for i := range p.ranks {
		r := &p.ranks[i]
		switch {
		case r.state == leaving, r.state == done:
		case r.moved():
			p.delete(r.pod, p.in.LostNodes.Has(nodeOf(r.pod)))
		case r.state == refused, r.state == retry:
			p.replace(r)
		case p.in.Blocked.Ranks[r.name] != "", r.state == absent && r.node == "":
		default:
			if r.state == absent {
				pods = append(pods, newPod(p.in, r, p.ledger[r.key()].attempts()))
			}
			if r.service == nil && needsService(p.in, r, len(p.ranks) == 1) {
				names = append(names, newService(p.in, r))
			}
		}
	}
	first := min(1, len(names))
	p.out.Create = slices.Concat(names[:first], pods, names[first:])
}

// replace deletes a failed pod when its time has come; the pass after that
// makes the next one.
func (p *pass) replace(r *rank) {
	if left := endedAt(r.pod).Add(delay(r.pod)).Sub(p.in.Now); left > 0 {
		p.wake(left)
		return
	}
	p.delete(r.pod, p.in.LostNodes.Has(nodeOf(r.pod)))
}

// reap takes away by force the pods that no kubelet will ever report gone.
func (p *pass) reap() {
	for _, pod := range p.in.Pods {
		if pod.DeletionTimestamp == nil {
			continue
		}
		switch left := overdueAt(pod).Sub(p.in.Now); {
		case p.in.LostNodes.Has(nodeOf(pod)):
			p.delete(pod, true)
		case left > 0:
			p.wake(left)
		default:
			p.wake(reapDelay)
		}
	}
}

// overdueAt is when a pod that is being deleted should have gone.
func overdueAt(pod *corev1.Pod) time.Time { return pod.DeletionTimestamp.Add(reapSlack) }

// suspects are the nodes whose being there matters for the decision: those of
// pods that should have gone by now, or whose rank was placed elsewhere.
func suspects(in observed) sets.Set[string] {
	place := map[string]string{}
	if len(in.Problems) == 0 {
		for _, r := range ranksOf(in) {
			place[r.name] = r.node
		}
	}
	nodes := sets.New[string]()
	for _, pod := range in.Pods {
		node, wanted := nodeOf(pod), place[pod.Name]
		overdue := pod.DeletionTimestamp != nil && !in.Now.Before(overdueAt(pod))
		if node != "" && (overdue || wanted != "" && wanted != node) {
			nodes.Insert(node)
		}
	}
	return nodes
}

// unreachable says that no kubelet answers for the node.
func unreachable(node *corev1.Node) bool {
	for _, taint := range node.Spec.Taints {
		if taint.Key == corev1.TaintNodeUnreachable || taint.Key == corev1.TaintNodeOutOfService {
			return true
		}
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionUnknown
		}
	}
	return false
}
