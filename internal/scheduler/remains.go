// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"slipway.dev/slipway/internal/placement"
)

// A group that gave way is gone when its pods are deleted, which have yet to end. Whom it
// made room for, and where, placement remembers with the gang: so of a group of which
// nothing but such pods is left a gang without pod sets remains, until they are gone too.
// Otherwise the room would be taken for anybody's, and others would have to give way again.

// leaving is a pod that gave way, and why; group is what it is all that is left of, if it is.
type leaving struct{ why, group string }

// evict a pod, for that reason: it is the group's no more, and counts until it is gone,
// beside its group should that be placed again.
func (l *ledger) evict(m *member, why string) {
	l.dismiss(m.uid)
	l.evicted[m.uid], l.uids[m.name] = leaving{why: cmp.Or(why, "gave its place up")}, m.uid
	l.ripe = append(l.ripe, m.name)
	l.introduce(m.pod)
	m.told.Gang, m.told.Set, m.told.Rank = "", "", 0
	if m.told.Node != "" {
		l.picture.Bind(m.told)
	}
}

// own evicted pods as all that is left of a group.
func (l *ledger) own(key string, gone []*member) {
	l.remains[key] = map[types.UID]placement.Pod{}
	for _, m := range gone {
		if m.told.Node == "" {
			continue
		}
		m.told.Gang = key
		l.evicted[m.uid], l.remains[key][m.uid] = leaving{l.evicted[m.uid].why, key}, m.told
		l.introduce(m.pod)
		l.picture.Bind(m.told)
	}
}

// leaveRemains of a group without pods, if any, in its stead.
func (l *ledger) leaveRemains(key string) {
	if len(l.remains[key]) == 0 {
		delete(l.remains, key)
		l.picture.DeleteGang(key)
		return
	}
	// What wants nothing is never refused.
	_ = l.picture.SetGang(placement.Gang{Key: key})
}

// disown what is left of a group, which has pods again.
func (l *ledger) disown(key string) {
	for uid, told := range l.remains[key] {
		told.Gang = ""
		l.evicted[uid] = leaving{why: l.evicted[uid].why}
		l.picture.Bind(told)
		if pod, is := l.seen[uid].(*corev1.Pod); is {
			l.introduce(pod)
		}
	}
	delete(l.remains, key)
}

// bury a pod that gave way and has ended.
func (l *ledger) bury(uid types.UID) {
	key := l.evicted[uid].group
	if key == "" {
		return
	}
	delete(l.remains[key], uid)
	if len(l.remains[key]) == 0 && l.groups[key] == nil {
		delete(l.remains, key)
		l.picture.DeleteGang(key)
	}
}
