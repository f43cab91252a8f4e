// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"strings"

	"sigs.k8s.io/knftables"
)

// update deletes the elements that are gone or lead elsewhere and adds the new
// ones. Both lists are sorted by key.
func (s set) update(tx *knftables.Transaction, name string, before []element) {
	after := s.elements
	for len(before) > 0 || len(after) > 0 {
		order := compare(before, after)
		if order == 0 && before[0] == after[0] {
			before, after = before[1:], after[1:]
			continue
		}
		if order <= 0 {
			tx.Delete(s.element(name, before[0]))
			before = before[1:]
		}
		if order >= 0 {
			tx.Add(s.element(name, after[0]))
			after = after[1:]
		}
	}
}

// compare orders the first elements; an empty list comes last.
func compare(a, b []element) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	default:
		return cmp.Compare(a[0].key, b[0].key)
	}
}

func (s set) element(name string, e element) *knftables.Element {
	key := strings.Split(e.key, " . ")
	if s.isMap() {
		return &knftables.Element{Map: name, Key: key, Value: []string{e.verdict}}
	}
	return &knftables.Element{Set: name, Key: key}
}
