// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "testing"

// TestStartOfAnotherTurn: who tells of a change may not know yet that the gang gave its
// places up, or tell what was so long ago. Its protected time begins with its own start.
func TestStartOfAnotherTurn(t *testing.T) {
	gang := func(gpus int64) Gang {
		return Gang{Key: "g", Started: 100, Sets: []PodSet{{Name: "w", Count: 1, Shape: Shape{Requests: Resources{"a/gpu": gpus}}}},
			Placement: []SetPlacement{{"w", []Slot{{"n", 1}}}}}
	}
	node := func(gpus int64) Node {
		return Node{Name: "n", Ready: true, Allocatable: Resources{"a/gpu": gpus, pods: 9}}
	}
	for name, change := range map[string]func(*Picture) error{
		"it asks for more": func(p *Picture) error { return p.SetGang(gang(8)) },
		"it gave way, and is charged to another": func(p *Picture) error {
			high := gang(4)
			high.Key, high.Priority, high.Started, high.Placement = "high", 1, 0, nil
			if err := p.SetGang(high); err != nil {
				return err
			}
			p.Advance(200)
			p.Settle()
			moved := gang(1)
			moved.User = "u"
			return p.SetGang(moved)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := New()
			p.SetNode(node(4))
			if err := p.SetGang(gang(1)); err != nil {
				t.Fatal(err)
			}
			p.Advance(150)
			if err := change(p); err != nil {
				t.Fatal(err)
			}
			p.Advance(300)
			if g := p.gangs["g"]; g.runs() {
				t.Fatal("it has its place still")
			}
			p.SetNode(node(8))
			p.Advance(1000)
			if g := p.gangs["g"]; !g.runs() || g.Started != 1000 {
				t.Errorf("it runs: %t, since %d; want since 1000", g.runs(), g.Started)
			}
		})
	}
}
