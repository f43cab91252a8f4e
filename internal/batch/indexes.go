// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/utils/ptr"
)

// failedIndexes are how many indexes of a Job have failed for good. The Job controller
// writes them as it does completed ones: "1,3-5,7".
func failedIndexes(job *batchv1.Job) int64 {
	n := int64(0)
	for interval := range strings.SplitSeq(ptr.Deref(job.Status.FailedIndexes, ""), ",") {
		first, last, is := strings.Cut(interval, "-")
		if !is {
			last = first
		}
		from, err := strconv.ParseInt(first, 10, 32)
		to, alsoErr := strconv.ParseInt(last, 10, 32)
		if err == nil && alsoErr == nil && to >= from {
			n += to - from + 1
		}
	}
	return n
}
