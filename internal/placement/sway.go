// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// sway the order of a node by whom the pods of the class would rather be beside. Peers
// weigh as much as what is preferred of nodes, each of them; what speaks for a node
// adds up.
func (t *ties) sway(i int, order uint32) uint32 {
	score := int64(0)
	for _, r := range t.rules {
		if r.kind == preferred {
			score += r.score(i)
		}
	}
	// class.order leaves room for as much on either side.
	score = max(-maxScore/2, min(score, maxScore/2-1))
	return uint32(int64(order) - score<<2)
}

// score of a node by its peers.
func (r *rule) score(i int) int64 {
	d := r.levels[0].of[i]
	switch {
	case d >= 0:
		return int64(r.preference.Weight) * int64(r.counts[0][d])
	case r.preference.Labelled:
		return -maxScore
	}
	return 0
}

// repels says that pods of the class would rather not be beside one another, so that
// after each of them the next may be better off elsewhere.
func (t *ties) repels() bool {
	return t != nil && slices.ContainsFunc(t.rules, func(r *rule) bool {
		return r.kind == preferred && r.own && r.preference.Weight < 0
	})
}
