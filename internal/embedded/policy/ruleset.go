// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"slices"
	"strings"

	"sigs.k8s.io/knftables"
)

// ruleset is all that the table holds. Two rulesets that compile makes from the
// same objects, in whatever order, are equal.
type ruleset struct {
	chains map[string]chain
	sets   map[string]set
}

// chain is a base chain in the forward hook if it has a priority.
type chain struct {
	priority knftables.BaseChainPriority
	comment  string
	rules    []string
}

// set is a set, or a verdict map if its kind says so.
type set struct {
	kind     string // nft type, such as "ipv4_addr . inet_service"
	comment  string
	elements []element // sorted by key, keys unique
}

// element has a verdict in verdict maps only.
type element struct {
	key, verdict string
}

func newRuleset() ruleset {
	return ruleset{chains: map[string]chain{}, sets: map[string]set{}}
}

func (s set) isMap() bool {
	return strings.HasSuffix(s.kind, ": verdict")
}

// add declares a set or replaces it, with its elements put in order.
func (r ruleset) add(name string, s set) {
	slices.SortFunc(s.elements, func(a, b element) int { return cmp.Compare(a.key, b.key) })
	s.elements = slices.Compact(s.elements)
	r.sets[name] = s
}
