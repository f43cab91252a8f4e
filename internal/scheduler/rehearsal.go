// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

// Rehearsal is the scheduler without an API server: objects mean to it what they
// mean to the scheduler, and its answers are read instead of written. It is not
// safe for concurrent use.
type Rehearsal struct{ ledger *ledger }

// NewRehearsal begins with an empty cluster.
func NewRehearsal() *Rehearsal { return &Rehearsal{newLedger()} }

// Set an object that was made or changed: a Node, Pod, Gang, Project or Namespace.
func (r *Rehearsal) Set(o client.Object) { r.ledger.set(o) }

// Remove an object that is gone.
func (r *Rehearsal) Remove(o client.Object) { r.ledger.remove(o) }

// Decide on all gangs.
func (r *Rehearsal) Decide(now time.Time) { r.ledger.decide(now) }

// Status that a gang would be given; false when there is nothing new to say.
func (r *Rehearsal) Status(gang types.NamespacedName, now time.Time) (*slipwayv1.GangStatus, bool) {
	d, changed := r.ledger.draft(gang, now)
	if !changed {
		return nil, false
	}
	return d.new, true
}

// Takes says whether a node would take one more pod of a gang's set now, or what
// about the gang cannot be followed.
func (r *Rehearsal) Takes(g *slipwayv1.Gang, set, node string) (bool, error) {
	asked, err := gangOf(g)
	if err != nil {
		return false, err
	}
	if err := asked.Validate(); err != nil {
		return false, err
	}
	i := slices.IndexFunc(asked.Sets, func(s placement.PodSet) bool { return s.Name == set })
	if i < 0 {
		return false, fmt.Errorf("the gang has no pod set %q", set)
	}
	return r.ledger.picture.Takes(asked.Sets[i], node), nil
}
