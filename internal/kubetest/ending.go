// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package kubetest

import (
	"errors"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"
)

// Ending is a namespace that is being deleted, for a client in memory. Something in it has yet to go.
func Ending(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: name, Finalizers: []string{"test/stays"}, DeletionTimestamp: ptr.To(metav1.Now())}}
}

// RefusedAsEnding is what the API server answers who makes something in a namespace that is being deleted.
func RefusedAsEnding() error {
	refusal := apierrors.NewForbidden(schema.GroupResource{}, "", errors.New("the namespace is being terminated"))
	refusal.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	return refusal
}
