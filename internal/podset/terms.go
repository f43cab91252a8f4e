// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// MaxDeadline in seconds, a hundred years; more is no limit, and no number of
// nanoseconds.
const MaxDeadline = 100 * 365 * 24 * 60 * 60

// MaxProtected is the longest that a job gives way to nobody, whatever it asks for: a
// guarantee that can be kept from its owner for good is none.
const MaxProtected = 24 * time.Hour

// Terms are what a job asks of the scheduler beside its pods and their priority: for whom,
// for how long, and what it would lose. Its annotations say so, or else its own deadline in
// seconds; one that TermProblems names says nothing.
func Terms(job metav1.Object, deadline *int64) slipwayv1.GangSpec {
	annotations := job.GetAnnotations()
	spec := slipwayv1.GangSpec{
		Project:    slipwayv1.ProjectOf(job.GetLabels()),
		User:       annotations[slipwayv1.AnnotationUser],
		MaxRunTime: duration(annotations[slipwayv1.AnnotationMaxRunTime]),
		MinRunTime: duration(annotations[slipwayv1.AnnotationMinRunTime]),

		LastCheckpoint: slipwayv1.CheckpointOf(annotations),
	}
	if spec.MaxRunTime == nil && deadline != nil && *deadline <= MaxDeadline {
		spec.MaxRunTime = &metav1.Duration{Duration: time.Duration(*deadline) * time.Second}
	}
	return spec
}

// TermProblems are the annotations of a job that cannot be understood, a line each.
func TermProblems(job metav1.Object) []string {
	var problems []string
	for _, annotation := range []string{slipwayv1.AnnotationMaxRunTime, slipwayv1.AnnotationMinRunTime} {
		if s, is := job.GetAnnotations()[annotation]; is && duration(s) == nil {
			problems = append(problems, fmt.Sprintf("metadata.annotations[%s]: %q is not a duration; write one such as 36h or 90m", annotation, s))
		}
	}
	return problems
}

// TermWarnings are the annotations of a job that do less than they say, a line each. None of
// them keeps it from running: a program writes some while it does.
func TermWarnings(job metav1.Object) []string {
	annotations := job.GetAnnotations()
	var warnings []string
	if s, is := annotations[slipwayv1.AnnotationCheckpoint]; is && slipwayv1.CheckpointOf(annotations) == nil {
		warnings = append(warnings, fmt.Sprintf("metadata.annotations[%s]: %q is no moment, and is ignored; write one such as 2026-01-02T14:20:00Z", slipwayv1.AnnotationCheckpoint, s))
	}
	if s := annotations[slipwayv1.AnnotationMinRunTime]; duration(s) != nil && duration(s).Duration > MaxProtected {
		warnings = append(warnings, fmt.Sprintf("metadata.annotations[%s]: %s is more than a day, and counts as 24h: after that the job may have to give way; write 24h or less", slipwayv1.AnnotationMinRunTime, s))
	}
	return warnings
}

// duration of more than nothing; nil for any other text.
func duration(text string) *metav1.Duration {
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return &metav1.Duration{Duration: d}
	}
	return nil
}
