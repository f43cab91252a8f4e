// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"
)

// expects begins what the message of a Gang's conditions says of its start.
const expects = "; expected to start by "

// AsOf a moment is what a gang was told, or what repeats that, in the words that are right then: in how
// long it starts as it was promised, or that the moment has passed since that was written.
func AsOf(told string, now time.Time) string {
	before, after, is := strings.Cut(told, expects)
	end := strings.IndexByte(after, 'Z') + 1
	start, err := time.Parse(time.RFC3339, after[:end])
	if !is || err != nil {
		return told
	}
	if in := start.Sub(now); in > 0 {
		return before + expects + after[:end] + " (in " + duration.HumanDuration(in) + ")" + after[end:]
	}
	return before + "; was expected to start by " + after[:end] + " and is overdue" + after[end:]
}
