// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "testing"

// TestVictimIsAnother: the pods of who gave way are awaited, whatever became of it meanwhile,
// and nobody else gives way before they have ended.
func TestVictimIsAnother(t *testing.T) {
	for name, change := range map[string]func(c clinic, victim string){
		"it asks for less": func(c clinic, victim string) {
			c.gang(victim, 1, func(g *Gang) { g.Sets[0].Shape.Requests = Resources{"a/gpu": 4} })
		},
		"it is deleted": func(c clinic, victim string) { c.p.DeleteGang(victim) },
	} {
		t.Run(name, func(t *testing.T) {
			c := clinic{t, New()}
			c.node("n1", "n2")
			for _, key := range []string{"a", "b"} {
				c.gang(key, 1, func(g *Gang) { g.Protected = 0 })
			}
			c.runs(1, "a", "b")
			for _, key := range []string{"a", "b"} {
				node := c.p.gangs[key].sets[0].slots[0].node
				c.p.Bind(Pod{Key: key + "-0", Node: node, Gang: key, Set: "w", Requests: Resources{"a/gpu": 8}})
			}
			c.gang("high", 1, func(g *Gang) { g.Priority = 1 })
			c.p.Advance(120)
			c.p.Settle()
			victim, other := "a", "b"
			if c.p.gangs["a"].runs() {
				victim, other = "b", "a"
			}
			change(c, victim)
			c.runs(3, other)
			c.p.Unbind(victim + "-0")
			c.runs(4, other, "high")
		})
	}
}
