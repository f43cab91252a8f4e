// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"slipway.dev/slipway/internal/placement"
)

// A pod that is held to a node is Kubernetes' scheduler's to bind. Between our decision and its
// allocation others may take the devices, and then it asks for no node but that one for ever.
// So, after a while, it goes as one that its kubelet refused would, and who made it makes another,
// which gets a place by what is true by then. A pod that nobody would make again stays: it is
// bound there when the devices are free, and its owner is told what else he can do.

const (
	// firstPatience with Kubernetes' scheduler, which looks again at what it did not bind at most
	// ten seconds later. For pods of one owner it doubles each time in a row, up to the last: what keeps
	// them may be nothing that the picture knows.
	firstPatience = 15 * time.Second
	lastPatience  = 10 * time.Minute
)

// pin is a pod that is held to a node and not bound yet.
type pin struct {
	// refused is why Kubernetes' scheduler does not bind it, in its words, since the decision
	// that was first to know, and due is when patience with that ends. Empty when it says nothing.
	refused    string
	since, due time.Time
	// stuck says that patience has ended and nobody would make it again, and told that its owner
	// knows.
	stuck, told bool
}

// refusals of the pods of one owner, in a row, and when the last of them was.
type refusals struct {
	n    int
	last time.Time
}

// repair is why a pod was made to go so that another is made.
type repair string

const (
	placeLost repair = "place_lost" // or it has none there any more
	unbound   repair = "unbound"    // Kubernetes' scheduler did not bind it
)

// pin takes note of whether a pod is held to a node and not bound yet, and returns whether
// Kubernetes' scheduler says for the first time that it will not do.
func (l *ledger) pin(p *corev1.Pod, pinned bool) bool {
	if !pinned {
		if owner := metav1.GetControllerOf(p); owner != nil && l.pinned[p.UID] != nil && p.Spec.NodeName != "" {
			delete(l.refusals, owner.UID)
		}
		delete(l.pinned, p.UID)
		return false
	}
	if l.pinned[p.UID] == nil {
		l.pinned[p.UID] = &pin{}
	}
	now := l.pinned[p.UID]
	before := now.refused
	if now.refused = refusalOf(p); now.refused == "" {
		now.since = time.Time{}
	}
	return before == "" && now.refused != ""
}

// refusalOf a pod by Kubernetes' scheduler, since its gate was opened: opening it was a change of
// the spec, and what this scheduler says of a pod does not say of which spec. One that waits for
// others to leave, which the other scheduler makes give way to it, is not refused.
func refusalOf(p *corev1.Pod) string {
	if p.Status.NominatedNodeName != "" {
		return ""
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable &&
			c.ObservedGeneration != 0 && c.ObservedGeneration == p.Generation {
			return cmp.Or(c.Message, "it is unschedulable")
		}
	}
	return ""
}

// unpin pods that are held to a node where they have no place any more, or are not bound: nobody
// else would ever do anything about them. Whoever made them makes others.
func (l *ledger) unpin(now time.Time) {
	for _, uid := range slices.Sorted(maps.Keys(l.pinned)) {
		m := l.member(uid)
		if m == nil {
			continue
		}
		switch p := l.pinned[uid]; {
		case l.lostPlace(m):
			l.remake(m, placeLost, fmt.Sprintf("it was held to node %s before it was bound, and has no place there any more", m.node))
		case p.refused == "", m.ending:
		case p.since.IsZero():
			p.since, p.due = now, now.Add(l.patience(m.owner))
		case now.Before(p.due):
		case m.owner == "":
			if p.stuck = true; p.mustTell() {
				l.ripe = append(l.ripe, m.name)
			}
		default:
			l.refuse(m.owner, p, now)
			l.remake(m, unbound, fmt.Sprintf("it was held to node %s, where Kubernetes' scheduler does not bind it: %s", m.node, p.refused))
		}
	}
}

// lostPlace says that a pod that is held to a node has no place there.
func (l *ledger) lostPlace(m *member) bool {
	if l.stock.nodes[m.node] == nil {
		return true
	}
	e := l.gangs[l.crewOf[m.uid]]
	return e != nil && e.places() != nil && !m.seated
}

func (l *ledger) remake(m *member, cause repair, why string) {
	l.tally.repairs[cause]++
	l.evict(l.crewOf[m.uid], &placement.Reason{Code: placement.NodeLost, Text: why}, m)
}

// patience with Kubernetes' scheduler about a pod of an owner.
func (l *ledger) patience(owner types.UID) time.Duration {
	patience := firstPatience
	if r := l.refusals[owner]; r != nil {
		for range r.n {
			patience = min(2*patience, lastPatience)
		}
	}
	return patience
}

// refuse a pod of an owner, once for all that were held at a time, and forget the refusals that are
// too old to be in a row with another.
func (l *ledger) refuse(owner types.UID, p *pin, now time.Time) {
	maps.DeleteFunc(l.refusals, func(_ types.UID, r *refusals) bool { return now.Sub(r.last) > 2*lastPatience })
	if l.refusals[owner] == nil {
		l.refusals[owner] = &refusals{}
	}
	if r := l.refusals[owner]; !r.last.After(p.since) {
		r.n, r.last = r.n+1, now
	}
}

// nextUnpin is when patience with Kubernetes' scheduler next ends; zero for never.
func (l *ledger) nextUnpin() time.Time {
	next := time.Time{}
	for uid, p := range l.pinned {
		if m := l.member(uid); m != nil && !m.ending && !p.since.IsZero() && !p.stuck {
			next = sooner(next, p.due)
		}
	}
	return next
}

// mustTell says that the owner of a pod that is stuck does not know yet.
func (p *pin) mustTell() bool { return p != nil && p.stuck && !p.told }

// advice about a pod that nobody makes again.
func (p *pin) advice(node string) string {
	return fmt.Sprintf("spec.affinity: it is held to node %s, where others were faster, and no pod can be held back twice; "+
		"it is bound there once there is room; to have it placed elsewhere, delete it and make it again: %s", node, p.refused)
}
