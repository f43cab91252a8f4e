// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// await notes for whom a promise waits, of those who will have left by its start: for all that give
// back something of what it asks for on its nodes, also those that were let past it since it was
// given first. Which of them it could do without depends on what the others do. Who is on recall
// goes for its sake, also for a limit that they have in common; the others end by themselves, which
// is as sure as it is of each.
func (p *Picture) await(pr *promise, gone []ending) {
	asks := pr.gang.sum(pr.gang.lacks())
	besides := slices.Clone(asks)
	besides.add(p.names.of(pods), -asks.at(p.names.of(pods))) // which every pod gives back
	on := pr.site()
	if pr.awaitGivers(gone, on, besides); len(pr.after) == 0 {
		pr.awaitGivers(gone, on, asks)
	}
}

// awaitGivers notes those of the gone who give back something of what is asked for, how sure it is that
// all of them will have ended by themselves, and those whom the promise recalls.
func (pr *promise) awaitGivers(gone []ending, on site, asks vector) {
	pr.after, pr.recalls, pr.sure = nil, nil, 1
	for _, e := range gone {
		gives := on.gets(e.leaver, asks)
		switch {
		case e.ground == ByRecall:
			if gives || sharesLimit(e.gang.queue, pr.gang.queue) {
				pr.recalls = append(pr.recalls, e.gang.Key)
			}
		case gives:
			pr.sure *= e.sure
			if e.gang != pr.gang { // What is left of its last run is no other gang.
				pr.after = append(pr.after, e.gang.Key)
			}
		}
	}
}

// site are the nodes of a promise, and which of them each gang is on, by key.
type site struct {
	nodes map[*node]bool
	of    map[string][]*node
}

func (pr *promise) site() site {
	s := site{map[*node]bool{}, map[string][]*node{}}
	for _, at := range pr.places {
		if s.nodes[at.node] {
			continue
		}
		s.nodes[at.node] = true
		for key := range at.node.accounts {
			s.of[key] = append(s.of[key], at.node)
		}
	}
	return s
}

// gets something of what is asked for when somebody leaves.
func (s site) gets(l leaver, asks vector) bool {
	if l.part == pledged {
		return slices.ContainsFunc(l.pledge.places, func(at place) bool {
			return s.nodes[at.node] && slices.ContainsFunc(l.gang.sets[at.set].class.requests, func(r amount) bool { return r.n > 0 && asks.at(r.at) > 0 })
		})
	}
	return slices.ContainsFunc(s.of[l.gang.Key], func(n *node) bool { return l.frees(n).meets(asks) })
}
