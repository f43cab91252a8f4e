// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"errors"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

// GangOf is the gang that a Job which is not there yet would become, and which priority
// classes it names that are not there. The error says what about the Job keeps it from being
// queued.
func GangOf(job *batchv1.Job, priority podset.Priority) (gang *slipwayv1.Gang, noClass []string, err error) {
	p := &pass{in: observed{Job: job}}
	if err := p.in.observePriority(priority); err != nil {
		return nil, nil, err
	}
	if problems := p.problems(); len(problems) > 0 {
		return nil, nil, errors.New(strings.Join(problems, "; "))
	}
	return &slipwayv1.Gang{
		ObjectMeta: metav1.ObjectMeta{Name: gangName(job), Namespace: job.Namespace},
		Spec:       p.gangSpec(left(job)),
	}, p.in.NoClass, nil
}

// ClassWarning says which priority class a Job that is queued names for the queue in vain; empty when it
// names none, or one that is there.
func ClassWarning(job *batchv1.Job, priority podset.Priority) (string, error) {
	in := observed{Job: job}
	if job.Labels[labelPriority] == "" || !isQueued(job) || finished(job) {
		return "", nil
	}
	err := in.observePriority(priority)
	return in.classWarning(), err
}
