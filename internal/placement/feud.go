// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "maps"

// Each right to others' places makes sense by itself, and still they may be circular: of three
// projects each may be guaranteed another part of what their gangs ask for, so that one takes back
// from the next, that one from the third, and the third from the first. No order of rights is
// free of it as long as a gang may hold what nobody guaranteed it beside what somebody did.
//
// So it is not the rights that are cut, but how often one is used. Who gives way after others gave
// way to it has got nowhere, and they have lost what they did: it asks others again after a pause,
// which is twice as long each time. In whatever circle gangs go, one of them has asked again and
// again, so that the circle comes to rest; and neither who only takes back what it is guaranteed,
// nor who only gives way, is ever kept waiting.

const (
	// firstPause is for how many seconds a gang asks nobody that gave way after others had given
	// way to it, and longestPause is where that is doubled no more.
	firstPause, longestPause = 10 * 60, 24 * 60 * 60
	// feudMemory is for how many seconds it is remembered.
	feudMemory = 7 * 24 * 60 * 60
)

// feud is what is remembered of a gang for which others gave way, by its key: a group whose pods
// are made again is another gang of the same name.
type feud struct {
	// raised says that others gave way to it since it gave way itself; relapses is how often it
	// did so afterwards, or they had given way in vain.
	raised   bool
	relapses int
	// at is when either happened last.
	at int64
}

// raise a gang: others give way to it. What it takes back of what it lent is no right of its own.
func (p *Picture) raise(g *gang) {
	f := p.feuds[g.Key]
	if f == nil {
		f = &feud{}
		p.feuds[g.Key] = f
	}
	f.raised = true
	f.at = p.now
}

// relapse of a gang: it gives way, or gets nothing of what others gave up for it.
func (p *Picture) relapse(g *gang) {
	if f := p.feuds[g.Key]; f != nil && f.raised {
		f.raised, f.at = false, p.now
		f.relapses++
	}
}

// pausesUntil a moment a gang that relapsed asks nobody to give way; zero for one that may. One that
// holds places idle, since it lost others, is not kept from finding those again.
func (p *Picture) pausesUntil(g *gang) int64 {
	f := p.feuds[g.Key]
	if f == nil || f.raised || f.relapses == 0 || g.broken() {
		return 0
	}
	return f.at + f.pause()
}

// pause after the last relapse, in seconds.
func (f *feud) pause() int64 {
	pause := int64(firstPause)
	for i := 1; i < f.relapses && pause < longestPause; i++ {
		pause *= 2
	}
	return min(pause, longestPause)
}

// pauses says that a gang asks nobody yet, and tells it until when.
func (e *eviction) pauses(g *gang) bool {
	until := e.p.pausesUntil(g)
	if until <= e.p.now {
		return false
	}
	e.p.protected = min(e.p.protected, until)
	g.tellShelter(&shelter{until: until, relapses: e.p.feuds[g.Key].relapses})
	return true
}

// endFeud of a gang that is gone and was in none.
func (p *Picture) endFeud(g *gang) {
	if f := p.feuds[g.Key]; f != nil && f.relapses == 0 {
		delete(p.feuds, g.Key)
	}
}

// forgetFeuds that are over for long, and those of gangs that did not come again.
func (p *Picture) forgetFeuds() {
	maps.DeleteFunc(p.feuds, func(key string, f *feud) bool {
		gone := p.gangs[key] == nil && p.now-f.at > f.pause()
		return gone || p.now-f.at > feudMemory
	})
}
