// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import "testing"

func TestPick(t *testing.T) {
	busy := func(n int64) candidate { return candidate{Outstanding: n} }
	suspect := func(n int64) candidate { return candidate{Outstanding: n, Suspect: true} }
	tried := candidate{Tried: true}
	for _, c := range []struct {
		name     string
		replicas []candidate
		turn     uint64
		want     int
	}{
		{"none", nil, 3, -1},
		{"one", []candidate{busy(9)}, 3, 0},
		{"least", []candidate{busy(2), busy(1), busy(3)}, 0, 1},
		{"least, whoever's turn", []candidate{busy(2), busy(1), busy(3)}, 2, 1},
		{"equal, first turn", []candidate{busy(1), busy(1), busy(1)}, 0, 0},
		{"equal, last turn", []candidate{busy(1), busy(1), busy(1)}, 5, 2},
		{"not again", []candidate{tried, busy(5)}, 0, 1},
		{"all tried", []candidate{tried, tried}, 1, -1},
		{"rather busy than suspect", []candidate{suspect(0), busy(99)}, 0, 1},
		{"suspect if there is no other", []candidate{tried, suspect(0)}, 0, 1},
		{"least suspect", []candidate{suspect(2), suspect(1)}, 0, 1},
		{"large turn", []candidate{busy(0), busy(0)}, ^uint64(0), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := pick(c.replicas, c.turn); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}
