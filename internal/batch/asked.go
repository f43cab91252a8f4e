// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"errors"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// GangOf is the gang that a Job which is not there yet would become, with the priority
// of no class. The error says what about the Job keeps it from being queued.
func GangOf(job *batchv1.Job) (*slipwayv1.Gang, error) {
	p := &pass{in: observed{Job: job}}
	if problems := p.problems(); len(problems) > 0 {
		return nil, errors.New(strings.Join(problems, "; "))
	}
	return &slipwayv1.Gang{
		ObjectMeta: metav1.ObjectMeta{Name: gangName(job), Namespace: job.Namespace},
		Spec:       p.gangSpec(left(job)),
	}, nil
}
