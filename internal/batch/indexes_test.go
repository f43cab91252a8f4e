// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/utils/ptr"
)

// TestLeft is what the Job controller will still run.
func TestLeft(t *testing.T) {
	for name, tt := range map[string]struct {
		completions *int32
		succeeded   int32
		failed      string
		want        int32
	}{
		"nothing has ended":          {ptr.To[int32](10), 0, "", 4},
		"one place is enough":        {ptr.To[int32](10), 9, "", 1},
		"indexes that failed":        {ptr.To[int32](10), 3, "0,4-6,9", 2},
		"none but failed ones":       {ptr.To[int32](10), 0, "0-9", 0},
		"more than there are":        {ptr.To[int32](10), 9, "0-2147483647", 0},
		"words":                      {ptr.To[int32](10), 8, "a,5-x,9-1,,-", 2},
		"a queue of work":            {nil, 0, "", 4},
		"a queue of work that ended": {nil, 1, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			job := &batchv1.Job{}
			job.Spec.Parallelism, job.Spec.Completions = ptr.To[int32](4), tt.completions
			job.Status.Succeeded, job.Status.FailedIndexes = tt.succeeded, &tt.failed
			if got := left(job); got != tt.want {
				t.Errorf("%d pods are left, want %d", got, tt.want)
			}
		})
	}
}
