// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"testing"
)

// BenchmarkApart is what it takes to place 1,000 gangs of one pod of which each keeps away
// from all others, by a label that all of them have, or by one that is the next one's own.
func BenchmarkApart(b *testing.B) {
	for name, term := range map[string]func(i int) PeerTerm{
		"all":  func(int) PeerTerm { return apartFrom("app", "x") },
		"each": func(i int) PeerTerm { return apartFrom("name", fmt.Sprint(i+1)) },
		"mutual": func(i int) PeerTerm {
			t := apartFrom("app", "x")
			t.Peers.Labels = append(t.Peers.Labels, Requirement{Key: "name", Operator: NotIn, Values: []string{fmt.Sprint(i)}})
			return t
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p := cluster(1000)
				for _, n := range p.nodes {
					told := n.Node
					told.Labels = with(told.Labels, hostname, n.Name)
					p.SetNode(told)
				}
				for i := range 1000 {
					g := gpuGang(i, 1, Topology{})
					s := &g.Sets[0]
					s.Namespace, s.Labels = namespace, map[string]string{"app": "x", "name": fmt.Sprint(i)}
					s.Shape.Apart = []PeerTerm{term(i)}
					tell(b, p, g)
				}
				if v := p.Decide(); len(v) < 1000 {
					b.Fatal(len(v))
				}
			}
		})
	}
}

// apartFrom pods of a label, on each node.
func apartFrom(key, value string) PeerTerm {
	return PeerTerm{Peers{Labels: []Requirement{{Key: key, Operator: In, Values: []string{value}}}, Namespaces: []string{namespace}}, hostname}
}
