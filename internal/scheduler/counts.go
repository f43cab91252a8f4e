// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import "slipway.dev/slipway/internal/placement"

// countGangs of each project. Placement was not asked about gangs whose spec cannot be followed,
// and not about pods that wait for more than room: they wait, too.
func (l *ledger) countGangs() map[string]placement.Counts {
	counts := l.picture.Counts()
	wait := func(project string) {
		c := counts[project]
		c.Waiting++
		counts[project] = c
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
	return counts
}
