// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"slipway.dev/slipway/internal/placement"
)

// Group that a pod without a Gang is placed with, be it alone in it, by a name that no Gang
// can have and that Answer, Project and the like take; false for a pod that is of a Gang, or
// none of this scheduler's.
func (d *Decided) Group(pod *corev1.Pod) (types.NamespacedName, bool) {
	key := d.ledger.crewOf[pod.UID]
	return nameOfKey(key), d.ledger.groups[key] != nil
}

func (d *Decided) groupAnswer(key string, g *group) Answer {
	out := Answer{State: g.state, Placement: d.ledger.crews[key].places, Reason: g.reason}
	if g.reason == nil && g.why != "" {
		out.Reason = &placement.Reason{Code: ReasonIncomplete, Text: g.why}
	}
	if start, promised := d.Picture.PlannedStart(key); promised {
		out.Start, out.When = time.Unix(start.At, 0), whenOf(start)
	}
	return out
}

// nameOfKey is the inverse of keyOf.
func nameOfKey(key string) types.NamespacedName {
	namespace, name, _ := strings.Cut(key, "/")
	return types.NamespacedName{Namespace: namespace, Name: name}
}
