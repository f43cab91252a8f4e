// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import "testing"

// TestRefusedGangVacates: a gang that has places and no pods yet is edited into one that cannot be
// followed. Nobody is told of its places before its own status has lost them.
func TestRefusedGangVacates(t *testing.T) {
	s := newServer(t, newNode("n1", 64, 4), newGang("a", 4, 1))
	s.settle()
	s.set(newGang("b", 4, 1))
	s.settle()
	g := s.gang("a").DeepCopy()
	g.Generation++
	g.Spec.PodSets = append(g.Spec.PodSets, g.Spec.PodSets[0])
	s.set(g)
	for _, name := range s.ledger.decide(s.now) {
		if d, is := s.ledger.draft(name, s.now); is && name.Name == "b" && len(d.new.Placement) > 0 {
			t.Errorf("b is told of places that a has in its status: %v", d.new.Placement)
		}
	}
	if s.ledger.vacating.nodes["ns/a"] == nil {
		t.Error("nobody waits for a to leave its places")
	}
}
