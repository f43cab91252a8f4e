// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"strings"
	"time"
)

// expects begins what the message of a Gang's conditions says of its start.
const expects = "; expected to start by "

// Overdue is what a gang was told, or what repeats that, in the words that are right now: the
// start that it was promised may have passed since that was written.
func Overdue(told string, now time.Time) string {
	before, after, is := strings.Cut(told, expects)
	end := strings.IndexByte(after, 'Z') + 1
	start, err := time.Parse(time.RFC3339, after[:end])
	if !is || err != nil || start.After(now) {
		return told
	}
	return before + "; was expected to start by " + after[:end] + " and is overdue" + after[end:]
}
