// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"io"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// TestPodsGiveWayWhileTheyAreBound: who gives way between the request to bind it and the
// news of that holds its room until it is gone.
func TestPodsGiveWayWhileTheyAreBound(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 1))
	c.add(ourPod("low"))
	c.settle()
	low := types.NamespacedName{Namespace: "ns", Name: "low"}
	if e, is := c.ledger.errand(low); !is || e.bind != "n1" {
		t.Fatalf("errand %+v", e)
	}
	c.add(ourPod("high", ranked(10)))
	c.settle()
	c.ledger.plan()
	c.settle()
	c.add(ourPod("low", func(p *corev1.Pod) { p.Status.Message = "seen before it was bound" }))
	c.settle()
	if e, is := c.ledger.errand(low); !is || e.delete == "" {
		t.Errorf("of who gives way: %+v", e)
	}
	if e, _ := c.ledger.errand(types.NamespacedName{Namespace: "ns", Name: "high"}); e.bind != "" {
		t.Error("the room of a pod that may be bound is given away")
	}
	c.end("low")
	c.does("high@n1")
}

// A binding that failed is not one.
func TestPodsThatWereNotBound(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 1), newNode("n2", 8, 1))
	c.add(ourPod("a"))
	c.settle()
	a := types.NamespacedName{Namespace: "ns", Name: "a"}
	first, _ := c.ledger.errand(a)
	pods := corev1.Resource("pods")
	for _, err := range []error{io.ErrUnexpectedEOF, apierrors.NewForbidden(pods, "a", nil)} {
		c.ledger.notBound("uid-a", err)
		c.add(ourPod("a", labelled("seen", "meanwhile")))
		if e, is := c.ledger.errand(a); !is || e.bind != first.bind {
			t.Errorf("errand %+v after %+v failed: %v", e, first, err)
		}
	}
	c.ledger.notBound("uid-a", apierrors.NewConflict(pods, "a", nil))
	if e, is := c.ledger.errand(a); is {
		t.Errorf("errand %+v before it is seen who has bound it", e)
	}
	c.end("a")
	c.add(ourPod("b"), ourPod("c"))
	c.does("b@n1", "c@n2")
}
