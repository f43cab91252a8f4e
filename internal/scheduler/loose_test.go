// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// TestWhoWorksOnWithoutANode keeps the other places; who cannot gives them to those that wait.
func TestWhoWorksOnWithoutANode(t *testing.T) {
	for owner, want := range map[metav1.OwnerReference]string{
		{APIVersion: "batch/v1", Kind: "Job", Name: "j", UID: "j"}:               "Reconciling (InsufficientResources)",
		{APIVersion: "kubeflow.org/v1", Kind: "PyTorchJob", Name: "j", UID: "j"}: "Placed Ready (Placed) worker n1*1",
	} {
		t.Run(owner.Kind, func(t *testing.T) {
			lost := newGang("lost", 2, 4)
			owner.Controller = ptr.To(true)
			lost.OwnerReferences = []metav1.OwnerReference{owner}
			s := newServer(t, newNode("n1", 8, 4), newNode("n2", 8, 4), lost)
			s.settle()
			s.ledger.remove(newNode("n2", 8, 4))
			s.set(newGang("next", 1, 4))
			s.settle()
			s.now = s.now.Add(10 * time.Minute)
			s.ledger.decide(s.now)
			s.ledger.plan()
			s.settle()
			for name := range s.gangs {
				s.write(name)
			}
			s.settle() // the one that gets the places is told after who gave them up
			s.expect(map[string]string{"next": want})
		})
	}
}
