// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package why

import (
	"context"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// empty is a cluster without objects, which counts how often all of a kind are asked for.
type empty struct {
	client.Client
	lists int
}

func (e *empty) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
}

func (e *empty) List(context.Context, client.ObjectList, ...client.ListOption) error {
	e.lists++
	return nil
}

// TestMistyped: pods are listed once, of which a namespace may have thousands.
func TestMistyped(t *testing.T) {
	c := &empty{}
	_, err := Find(t.Context(), c, Ref{name: "tiyn"}, "team")
	if err == nil || !strings.Contains(err.Error(), `nothing in namespace team is named "tiyn"`) || c.lists != 1 {
		t.Errorf("after %d lists: %v", c.lists, err)
	}
}
