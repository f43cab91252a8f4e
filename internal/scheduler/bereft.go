// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"maps"
	"slices"
	"time"
)

// Whoever deletes a job deletes its Gang at once, and the garbage collector its pods, a moment
// later. Were they taken to stay for that moment, a promise that waits for them would be broken, and
// what it keeps given to others. So they are taken to be on their way out, for as long as a
// collector that works can take; those that are there after that stay, as far as anybody knows.

// collectedWithin is how long pods without their Gang are expected to be deleted yet.
const collectedWithin = time.Minute

// bereave the pods of a Gang that is gone. When is for the next decision to say.
func (l *ledger) bereave(key string) {
	l.bereavePods(key, func(*member) bool { return true })
}

// bereaveStrangers, before the first decision: pods whose Gang was deleted while no scheduler
// looked, be there another one of its name since.
func (l *ledger) bereaveStrangers() {
	for key := range l.crews {
		if l.groups[key] == nil {
			e := l.gangs[key]
			l.bereavePods(key, func(m *member) bool { return e == nil || stranger(e.object, m) != "" })
		}
	}
}

// bereavePods of a Gang: those of them that have a node and that are these.
func (l *ledger) bereavePods(key string, these func(*member) bool) {
	c := l.crews[key]
	if c == nil {
		return
	}
	for _, m := range c.pods {
		if m.node != "" && these(m) {
			m.bereft, l.bereft[key] = true, time.Time{}
		}
	}
}

// mourn says by when the pods of Gangs that are gone will have been deleted, and takes it back when
// that has passed.
func (l *ledger) mourn(now time.Time) {
	for _, key := range slices.Sorted(maps.Keys(l.bereft)) {
		switch until := l.bereft[key]; {
		case until.IsZero():
			l.bereft[key] = now.Add(collectedWithin)
		case now.Before(until):
			continue
		default:
			delete(l.bereft, key)
		}
		c := l.crews[key]
		if c == nil {
			continue
		}
		for _, m := range c.inOrder() {
			if m.told.Node != "" && !m.told.Leaving {
				m.told.Until = l.collected(m)
				l.picture.Bind(m.told)
			}
		}
	}
}

// collected is when a pod that nobody has asked to end yet will have, in seconds: it was made by
// a controller for a Gang that is gone. Zero for one that stays.
func (l *ledger) collected(m *member) int64 {
	key := l.crewOf[m.uid]
	until, another := l.bereft[key], l.gangs[key] != nil
	if m.owner == "" || until.IsZero() || another && !m.bereft {
		return 0
	}
	return until.Unix()
}

// nextMourn is when pods are next taken to stay; zero for never.
func (l *ledger) nextMourn() time.Time {
	next := time.Time{}
	for _, until := range l.bereft {
		next = sooner(next, until)
	}
	return next
}
