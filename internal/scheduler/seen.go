// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// seen are the objects behind the picture as last told, those of the watches' caches:
// they cost a pointer each, and nobody changes them. Projects and gangs are elsewhere in
// the ledger.
type seen map[types.UID]client.Object

func newSeen() seen { return seen{} }

func (s seen) set(o client.Object) {
	switch o := o.(type) {
	case *slipwayv1.Project, *slipwayv1.Gang:
		return
	case *corev1.Pod:
		if snapshot.Ended(o) {
			delete(s, o.UID)
			return
		}
	}
	s[o.GetUID()] = o
}

func (s seen) remove(o client.Object) { delete(s, o.GetUID()) }

// known is what the ledger knows, taken out of it so that it can go on meanwhile.
type known struct {
	at       time.Time
	snapshot snapshot.Snapshot
	gangs    []knownGang
}

// knownGang is a gang with the answer to it, which may not be written yet.
type knownGang struct {
	object *slipwayv1.Gang
	status slipwayv1.GangStatus
	answer *answer
}

// known takes pointers and small values only: whoever decides waits for it.
func (l *ledger) known(now time.Time) *known {
	k := &known{at: now}
	for _, o := range l.seen {
		k.snapshot.Add(o)
	}
	for _, p := range l.projects {
		k.snapshot.Projects = append(k.snapshot.Projects, p.object)
	}
	for _, e := range l.gangs {
		g := knownGang{object: e.object, status: e.status}
		if e.answer != nil && e.answer.generation == e.generation {
			answer := *e.answer // its start may change
			g.answer = &answer
		}
		k.gangs = append(k.gangs, g)
	}
	return k
}

// taken is the snapshot of what was known, in the order of names. Gangs have the status
// that they are about to get: a placement that is decided is a fact, written or not.
func (k *known) taken() *snapshot.Snapshot {
	s := &k.snapshot
	s.Taken = k.at
	for _, known := range k.gangs {
		g := *known.object
		g.Status = known.status
		if known.answer != nil {
			g.Status = *statusFor(&known.status, known.answer, k.at)
		}
		s.Gangs = append(s.Gangs, &g)
	}
	s.Sort()
	return s
}
