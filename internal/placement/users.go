// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"slices"
)

// maxUsers of a queue are remembered, and as many more as have gangs.
const maxUsers = 4096

// admit a user to a queue, who may be known to it.
func (p *Picture) admit(q *queue, name string) *user {
	if q.users[name] == nil && len(q.users) >= maxUsers {
		p.forgetUsers(q)
	}
	return q.user(name)
}

// forgetUsers who have no gangs and of whose past least is left. Without a bound each name
// that ever ran something would stay.
func (p *Picture) forgetUsers(q *queue) {
	type one struct {
		name  string
		share float64
	}
	var past []one
	for name, u := range q.users {
		if u.gangs == 0 {
			u.used.settle(p.now, p.HalfLife)
			past = append(past, one{name, u.used.share(p.total, nil, 1)})
		}
	}
	slices.SortFunc(past, func(a, b one) int { return cmp.Or(cmp.Compare(a.share, b.share), cmp.Compare(a.name, b.name)) })
	for _, u := range past[:min(len(past), maxUsers/2)] { // so that this is done seldom
		delete(q.users, u.name)
	}
}
