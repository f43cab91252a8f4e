// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"slices"
)

// maxUsers of a queue are remembered, and as many more as have gangs.
const maxUsers = 4096

// admit a user to a queue, in the place of those who have no gangs and of whose past
// least is left. Without a bound each name that ever ran something would stay.
func (p *Picture) admit(q *queue, name string) {
	if q.users[name] != nil || len(q.users) < maxUsers {
		return
	}
	type one struct {
		name  string
		share float64
	}
	var idle []one
	for name, u := range q.users {
		if u.gangs == 0 {
			u.used.settle(p.now, p.HalfLife)
			idle = append(idle, one{name, u.used.share(p.total, nil, 1)})
		}
	}
	slices.SortFunc(idle, func(a, b one) int { return cmp.Or(cmp.Compare(a.share, b.share), cmp.Compare(a.name, b.name)) })
	for _, u := range idle[:min(len(idle), maxUsers/2)] { // so that this is done seldom
		delete(q.users, u.name)
	}
}
