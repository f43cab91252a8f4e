// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package kubetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Patience is how long a test waits for what must happen: longer than a lease lasts.
const Patience = time.Minute

// Await returns the object with the namespace and name of o as it is when ok first holds
// of it.
func Await[T client.Object](t testing.TB, c client.WithWatch, o T, what string, ok func(T) bool) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	// A watch without a version begins with what there is.
	changes, err := c.Watch(ctx, listOf(t, c, o), client.InNamespace(o.GetNamespace()), client.MatchingFields{"metadata.name": o.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	defer changes.Stop()
	last := "absent"
	for e := range changes.ResultChan() {
		if got, is := e.Object.(T); is && e.Type != watch.Deleted && ok(got) {
			return got
		}
		last = fmt.Sprintf("%s %+v", e.Type, e.Object)
	}
	t.Fatalf("waiting for %s: %s is %s", what, o.GetName(), last)
	return o
}

// listOf objects of that kind, empty.
func listOf(t testing.TB, c client.Client, o client.Object) client.ObjectList {
	t.Helper()
	kind, err := c.GroupVersionKindFor(o)
	if err != nil {
		t.Fatal(err)
	}
	kind.Kind += "List"
	list, err := c.Scheme().New(kind)
	if err != nil {
		t.Fatal(err)
	}
	return list.(client.ObjectList)
}

// AwaitList returns what is in the namespace when ok first holds of it all.
func AwaitList[L client.ObjectList](t testing.TB, c client.WithWatch, namespace, what string, list L, ok func(L) bool) L {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	changes, err := c.Watch(ctx, list.DeepCopyObject().(L), client.InNamespace(namespace))
	if err != nil {
		t.Fatal(err)
	}
	defer changes.Stop()
	for {
		if err := c.List(ctx, list, client.InNamespace(namespace)); err != nil {
			t.Fatal(err)
		}
		if ok(list) {
			return list
		}
		if _, open := <-changes.ResultChan(); !open {
			t.Fatalf("waiting for %s: still %+v", what, list)
		}
	}
}

// Until something holds that cannot be watched.
func Until(t testing.TB, what string, holds func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !holds(ctx) {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("waiting for %s", what)
		}
	}
}
