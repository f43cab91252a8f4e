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
	"slipway.dev/slipway/internal/podset"
	"slipway.dev/slipway/internal/training/frameworks"
)

// GangOf is the gang that a job which nobody submitted yet would get, by its manifest
// and its priority class alone: where its volumes are is not looked up. It has no priority if
// the class that it names is not there. False is for what is no training job. The manifest
// stays as it is.
func GangOf(manifest client.Object, priority podset.Priority) (gang *slipwayv1.Gang, noClass []string, is bool, err error) {
	for _, f := range frameworks.All() {
		if reflect.TypeOf(f.New()) != reflect.TypeOf(manifest) {
			continue
		}
		job := f.Open(manifest.DeepCopyObject().(client.Object))
		if problems := validate(f, job); len(problems) > 0 {
			return nil, nil, true, errors.New(strings.Join(problems, "; "))
		}
		job.Default()
		p := &pass{in: observed{Framework: f, Job: job}}
		_, class := priorityClass(p.in)
		if p.in.Priority, err = priority(class); err != nil {
			return nil, nil, true, err
		}
		if p.in.Priority == nil {
			noClass = []string{class}
		}
		return &slipwayv1.Gang{
			ObjectMeta: metav1.ObjectMeta{Name: p.gangName(), Namespace: job.Object().GetNamespace()},
			Spec:       p.gangSpec(),
		}, noClass, true, nil
	}
	return nil, nil, false, nil
}
