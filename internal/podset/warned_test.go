// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

func annotated(pairs ...string) *batchv1.Job {
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "tiny"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		metav1.SetMetaDataAnnotation(&job.ObjectMeta, pairs[i], pairs[i+1])
	}
	return job
}

const noMoment = `metadata.annotations[slipway.dev/checkpointed-at]: "yesterday" is no moment, and is ignored; write one such as 2026-01-02T14:20:00Z`

func TestTermWarnings(t *testing.T) {
	for name, tt := range map[string]struct {
		job  *batchv1.Job
		want []string
	}{
		"nothing said":    {annotated(), nil},
		"a moment":        {annotated(slipwayv1.AnnotationCheckpoint, "2026-01-02T14:20:00+01:00"), nil},
		"no moment":       {annotated(slipwayv1.AnnotationCheckpoint, "yesterday"), []string{noMoment}},
		"an empty moment": {annotated(slipwayv1.AnnotationCheckpoint, ""), []string{`metadata.annotations[slipway.dev/checkpointed-at]: "" is no moment, and is ignored; write one such as 2026-01-02T14:20:00Z`}},
		"a day":           {annotated(slipwayv1.AnnotationMinRunTime, "24h"), nil},
		"no duration":     {annotated(slipwayv1.AnnotationMinRunTime, "long"), nil}, // a problem, and no warning
		"beyond a day": {annotated(slipwayv1.AnnotationMinRunTime, "36h"), []string{
			"metadata.annotations[slipway.dev/min-run-time]: 36h is more than a day, and counts as 24h: after that the job may have to give way; write 24h or less"}},
	} {
		if diff := cmp.Diff(tt.want, TermWarnings(tt.job)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestWarnedOnce: a job is told again only of what is new, or was mended between; another one of its name
// is told, too.
func TestWarnedOnce(t *testing.T) {
	var w Warned
	bad, again, good := annotated(slipwayv1.AnnotationCheckpoint, "yesterday"), annotated(slipwayv1.AnnotationCheckpoint, "yesterday"), annotated()
	again.UID = "another"
	for i, step := range []struct {
		job  *batchv1.Job
		want string
	}{{good, ""}, {bad, noMoment}, {bad, ""}, {good, ""}, {bad, noMoment}, {bad, ""}, {again, noMoment}, {again, ""}} {
		if got := w.News(step.job, strings.Join(TermWarnings(step.job), "; ")); got != step.want {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
}
