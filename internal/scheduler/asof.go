// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// expectedBy is what the message of a Gang's conditions says of the moment it was promised to start.
func expectedBy(start time.Time) string {
	return "; expected to start by " + start.UTC().Format(time.RFC3339)
}

// CutStart of what a Gang was told, or of what repeats that: why it waits, and what has ended when it
// starts. False for one that is told no start.
func CutStart(told string, promise *slipwayv1.StartPromise) (why, when string, promised bool) {
	if promise == nil {
		return told, "", false
	}
	return strings.Cut(told, expectedBy(promise.Time.Time))
}

// AsOf a moment is what a Gang was told, or what repeats that, in the words that are right then: in how
// long it starts as it was promised, or that the moment has passed since that was written.
func AsOf(told string, promise *slipwayv1.StartPromise, now time.Time) string {
	why, when, promised := CutStart(told, promise)
	if !promised {
		return told
	}
	start := promise.Time.Time
	if in := start.Sub(now); in > 0 {
		return why + expectedBy(start) + " (in " + duration.HumanDuration(in) + ")" + when
	}
	return why + "; was expected to start by " + start.UTC().Format(time.RFC3339) + " and is overdue" + when
}
