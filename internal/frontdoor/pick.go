// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

// candidate is what counts when a replica is chosen.
type candidate struct {
	Outstanding int64 // requests that it is answering
	Suspect     bool  // could lately not be reached
	Tried       bool  // by this request, and not reached
}

// pick chooses the replica with the least to do and returns its index, or -1
// when this request has tried all. One that could lately not be reached is
// taken only when there is no other. Among equals the turn decides, so that
// they take turns.
func pick(replicas []candidate, turn uint64) int {
	best := -1
	for i := range replicas {
		at := int((turn + uint64(i)) % uint64(len(replicas)))
		if !replicas[at].Tried && (best < 0 || better(replicas[at], replicas[best])) {
			best = at
		}
	}
	return best
}

func better(a, b candidate) bool {
	if a.Suspect != b.Suspect {
		return b.Suspect
	}
	return a.Outstanding < b.Outstanding
}
