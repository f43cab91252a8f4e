// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import "slipway.dev/slipway/internal/placement"

// countMembers of projects. Placement was not asked about gangs whose spec cannot be followed,
// and not about pods that wait for more than room: they wait, too.
func (l *ledger) countMembers() map[string]placement.Members {
	members := l.picture.Members()
	wait := func(project string) {
		m := members[project]
		m.Waiting++
		members[project] = m
	}
	for _, e := range l.gangs {
		if e.answer != nil && e.answer.refused != "" {
			wait(l.projectOfGang(e))
		}
	}
	for key, g := range l.groups {
		if g.reason == nil && g.why != "" {
			wait(l.projectOf(g, l.crews[key]))
		}
	}
	return members
}

// projectOfGang is the one that it names, or else its namespace's.
func (l *ledger) projectOfGang(e *entry) string {
	if e.project != "" {
		return e.project
	}
	return l.namespaces[e.name.Namespace]
}
