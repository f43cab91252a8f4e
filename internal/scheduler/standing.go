// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/podset"
)

// Queue are the gangs of a project that wait, and the groups of pods that have no Gang, in
// the order of their turns.
func (d *Decided) Queue(project string) []types.NamespacedName {
	var waiting []types.NamespacedName
	for _, key := range d.Picture.Turns() {
		if g := d.ledger.groups[key]; g != nil {
			if name := nameOfKey(key); g.state == placement.Waiting && d.Project(name) == project {
				waiting = append(waiting, name)
			}
			continue
		}
		e := d.ledger.gangs[key]
		if e != nil && e.asked != nil && e.asked.Queue == project && e.answer != nil && e.answer.verdict.State == placement.Waiting {
			waiting = append(waiting, e.name)
		}
	}
	return waiting
}

// Ends is when a gang that runs ends by its limit; zero when it has none, or waits.
func (d *Decided) Ends(name types.NamespacedName) time.Time {
	e := d.ledger.gangs[keyOf(name.Namespace, name.Name)]
	if e == nil || e.object.Spec.MaxRunTime == nil {
		return time.Time{}
	}
	started := d.started(e)
	if started.IsZero() {
		return time.Time{}
	}
	return started.Add(e.object.Spec.MaxRunTime.Duration)
}

// Protected is until when a gang that runs gives way to nobody; zero when nothing
// protects it.
func (d *Decided) Protected(name types.NamespacedName) time.Time {
	e := d.ledger.gangs[keyOf(name.Namespace, name.Name)]
	if e == nil || e.object.Spec.MinRunTime == nil || d.started(e).IsZero() {
		return time.Time{}
	}
	return d.started(e).Add(min(e.object.Spec.MinRunTime.Duration, podset.MaxProtected))
}

func (d *Decided) started(e *entry) time.Time {
	switch at, _ := turnOf(&e.status); {
	case at != 0:
		return time.Unix(at, 0)
	case e.answer != nil && e.answer.verdict.State == placement.Placed:
		return d.at
	}
	return time.Time{}
}
