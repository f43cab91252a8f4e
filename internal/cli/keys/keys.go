// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/cli/connect"
)

// Shortest is the least that the API server grants.
const Shortest = 10 * time.Minute

// Ensure makes what a key needs and is not there yet. What is there is left as
// it is.
func Ensure(ctx context.Context, c client.Client, objects []client.Object) error {
	for _, object := range objects {
		if err := connect.Create(ctx, c, object); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("making %s %s: %w", object.GetObjectKind().GroupVersionKind().Kind, object.GetName(), err)
		}
	}
	return nil
}

// Issue returns a key of the account and when it ends, which may be earlier than
// asked for.
func Issue(ctx context.Context, c client.Client, namespace, name string, life time.Duration) (string, time.Time, error) {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences: []string{Audience}, ExpirationSeconds: ptr.To(int64(life / time.Second)),
	}}
	if err := c.SubResource("token").Create(ctx, account(namespace, name), request); err != nil {
		return "", time.Time{}, fmt.Errorf("asking for a token of serviceaccount %s: %w", name, err)
	}
	return request.Status.Token, request.Status.ExpirationTimestamp.Time, nil
}

// Revoke ends all keys of an account and returns what it deleted. An account
// that was not made for keys stays and loses the right only. The API server
// remembers for ten seconds which tokens it has found good.
func Revoke(ctx context.Context, c client.Client, namespace, name string) ([]string, error) {
	found := &corev1.ServiceAccount{}
	err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, found)
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	doomed := []client.Object{binding(namespace, name)}
	if err == nil && found.Labels[labelKey] != "" {
		doomed = append(doomed, account(namespace, name))
	}
	var deleted []string
	for _, object := range doomed {
		err := c.Delete(ctx, object, client.PropagationPolicy(metav1.DeletePropagationBackground))
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return deleted, err
		}
		deleted = append(deleted, object.GetObjectKind().GroupVersionKind().Kind+"/"+object.GetName())
	}
	return deleted, nil
}
