// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

// grace of every pod.
const grace = 30 * time.Second

// expire is what deleting a pod does first.
func (w *world) expire(p *corev1.Pod) {
	if p.DeletionTimestamp == nil {
		ends := metav1.NewTime(time.Now().Add(grace))
		p.DeletionTimestamp = &ends
	}
}

// play those who make pods of gangs, run them and end them, and say whether they did anything.
func (w *world) play() bool {
	if w.idle {
		return false
	}
	before := w.version
	there := map[string]*corev1.Pod{}
	for _, p := range all[*corev1.Pod](w) {
		there[p.Name] = p
		if node := podset.PinnedTo(p.Spec.Affinity); isHeld(p) && p.Spec.NodeName == "" && node != "" {
			p = p.DeepCopy()
			p.Spec.NodeName = node
			w.store(p)
		}
	}
	for _, g := range all[*slipwayv1.Gang](w) {
		wanted := map[string]bool{}
		for _, set := range g.Status.Placement {
			rank := 0
			for _, slot := range set.Slots {
				for range slot.Count {
					p := worker(g.Name, rank)
					p.Spec.NodeName, p.UID = slot.Node, types.UID(fmt.Sprint(p.Name, "-", w.version))
					if rank++; slot.Node == "" {
						continue
					}
					if is := there[p.Name]; is == nil {
						w.put(p)
					} else if is.Spec.NodeName != slot.Node {
						continue
					}
					wanted[p.Name] = true
				}
			}
		}
		for name, p := range there {
			if p.Labels[slipwayv1.LabelGang] == g.Name && !wanted[name] && p.DeletionTimestamp == nil {
				p = p.DeepCopy()
				w.expire(p)
				w.store(p)
			}
		}
	}
	return w.version > before
}

// end the pods whose time has come, and say whether others have yet to end.
func (w *world) end() (more bool) {
	for _, p := range all[*corev1.Pod](w) {
		switch ends := p.DeletionTimestamp; {
		case ends == nil:
		case time.Now().Before(ends.Time):
			more = true
		default:
			w.drop(p)
		}
	}
	return more
}
