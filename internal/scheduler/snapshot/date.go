// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Date what people leave out of a file of their own: a snapshot that speaks of no moment
// at all was taken now, and what does not say since when it is there, or runs, is there or
// runs since the snapshot was taken. Without, it would be as old as the calendar.
func (s *Snapshot) Date(now time.Time) {
	if s.Taken.IsZero() {
		s.Taken = now
	}
	taken := metav1.NewTime(s.Taken)
	for o := range s.Objects() {
		if created := o.GetCreationTimestamp(); created.IsZero() {
			o.SetCreationTimestamp(taken)
		}
	}
	for _, g := range s.Gangs {
		if placed := g.Status.Placed(); placed != nil && placed.LastTransitionTime.IsZero() {
			placed.LastTransitionTime = taken
		}
	}
}
