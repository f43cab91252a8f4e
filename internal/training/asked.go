// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"errors"
	"reflect"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/training/frameworks"
)

// GangOf is the gang that a job which nobody submitted yet would get, by its manifest
// alone: its priority class and where its volumes are is not looked up. False is for
// what is no training job. The manifest stays as it is.
func GangOf(manifest client.Object) (*slipwayv1.Gang, bool, error) {
	for _, f := range frameworks.All() {
		if reflect.TypeOf(f.New()) != reflect.TypeOf(manifest) {
			continue
		}
		job := f.Open(manifest.DeepCopyObject().(client.Object))
		if problems := validate(f, job); len(problems) > 0 {
			return nil, true, errors.New(strings.Join(problems, "; "))
		}
		job.Default()
		p := &pass{in: observed{Framework: f, Job: job}}
		return &slipwayv1.Gang{
			ObjectMeta: metav1.ObjectMeta{Name: p.gangName(), Namespace: job.Object().GetNamespace()},
			Spec:       p.gangSpec(),
		}, true, nil
	}
	return nil, false, nil
}
