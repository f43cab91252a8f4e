// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// Decided is a snapshot with the scheduler's answers to it: what a scheduler that
// starts at that moment decides, plans and would write. Of the past a snapshot holds what
// is in the status of projects: a scheduler that has seen more may take turns otherwise,
// and plan with more.
type Decided struct {
	// Picture is what was decided on, with the answers in it. Who wants to ask what if
	// may go on telling it things.
	Picture *placement.Picture
	at      time.Time
	ledger  *ledger
}

// maxReworded bounds what it costs to say again why gangs wait, now that starts are
// planned. Beyond it they are told what was right just before.
const maxReworded = 1000

// Decide on a snapshot. It is a pure function; what it takes of the snapshot it
// leaves as it is.
func Decide(s *snapshot.Snapshot) *Decided {
	l := newLedger()
	for o := range s.Objects() {
		l.set(o)
	}
	l.decide(s.Taken)
	l.plan()
	l.reword(maxReworded)
	return &Decided{Picture: l.picture, at: s.Taken, ledger: l}
}

// Answer is what the scheduler says to a Gang, or to pods that have none; of these the
// status is empty.
type Answer struct {
	// State is Never for one whose spec cannot be followed, too.
	State placement.State
	// Placement as in a placement.Verdict.
	Placement []placement.SetPlacement
	// Reason that the gang, or part of it, waits; nil when nothing does.
	Reason *placement.Reason
	// Start is when a gang that waits is expected to start; zero when that is not known.
	Start time.Time
	// When says what has ended by then, and how sure that is; empty for nothing.
	When string
	// Status is what the Gang's becomes by it, with the same words.
	Status slipwayv1.GangStatus
}

// Answer to a gang; false for one that is not in the snapshot, or on its way out of it.
func (d *Decided) Answer(name types.NamespacedName) (Answer, bool) {
	key := keyOf(name.Namespace, name.Name)
	if g := d.ledger.groups[key]; g != nil {
		return d.groupAnswer(key, g), true
	}
	e := d.ledger.gangs[key]
	if e == nil || e.answer == nil {
		return Answer{}, false
	}
	v := e.answer.verdict
	out := Answer{State: v.State, Placement: v.Placement, Reason: v.Reason, Start: e.answer.start, When: e.answer.when, Status: *statusFor(&e.status, e.answer, d.at)}
	if e.answer.refused != "" {
		out.State, out.Reason = placement.Never, &placement.Reason{Code: reasonInvalid, Text: e.answer.refused}
	}
	return out, true
}

// Project that a gang is charged to: the one that it names, or else its namespace's;
// empty for none.
func (d *Decided) Project(name types.NamespacedName) string {
	key := keyOf(name.Namespace, name.Name)
	if g := d.ledger.groups[key]; g != nil {
		return d.ledger.projectOf(g, d.ledger.crews[key])
	}
	if e := d.ledger.gangs[key]; e != nil {
		return d.ledger.projectOfGang(e)
	}
	return d.ledger.namespaces[name.Namespace]
}

// ProjectStatus is what a Project's becomes, with what it uses.
func (d *Decided) ProjectStatus(name string) (slipwayv1.ProjectStatus, bool) {
	p := d.ledger.projects[name]
	if p == nil {
		return slipwayv1.ProjectStatus{}, false
	}
	if draft, changed := d.ledger.projectDraft(name, d.at); changed {
		return draft.status, true
	}
	return p.object.Status, true
}
