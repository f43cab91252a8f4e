// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"slipway.dev/slipway/internal/placement"
)

// promises are the first ones that gangs were given since they began to wait.
type promises struct {
	driver
	picture *placement.Picture
	first   map[string]int64
	// loans are how often somebody started on recall; late says who started later than promised.
	loans int
	late  []string
}

func (p *promises) decide(now int64) []placement.Verdict {
	verdicts := p.driver.decide(now)
	for _, v := range verdicts {
		if len(v.LentBy) > 0 {
			p.loans++
		}
		if at, promised := p.first[v.Gang]; v.State == placement.Placed && promised {
			if delete(p.first, v.Gang); now > at {
				p.late = append(p.late, fmt.Sprintf("%s was to start at %d, and did at %d", v.Gang, at, now))
			}
		}
	}
	for _, key := range p.picture.Turns() {
		if start, is := p.picture.PlannedStart(key); is && p.first[key] == 0 {
			p.first[key] = start.At
		}
	}
	return verdicts
}

// TestPromisesAreKept: where all keep to their limits, nobody has a right against anybody but to
// be given back what was lent, and pods end within the minute, nobody starts later than he was
// promised first, whether places are lent or not.
func TestPromisesAreKept(t *testing.T) {
	loans := map[int64]int{}
	for seed := range uint64(100) {
		for _, lease := range []int64{0, placement.DefaultLease} {
			p := &promises{first: map[string]int64{}}
			if _, err := simulate(orderly(seed), Slipway, func(picture *placement.Picture, in *Input) driver {
				picture.Patience, picture.Lease = 0, lease
				p.driver, p.picture = Slipway.driver(picture, in), picture
				return p
			}); err != nil {
				t.Fatal(err)
			}
			loans[lease] += p.loans
			for _, late := range p.late {
				t.Errorf("seed %d, lease %d: %s", seed, lease, late)
			}
		}
	}
	if loans[0] > 0 || loans[placement.DefaultLease] < 100 {
		t.Errorf("somebody started on recall so often, by the lease: %v", loans)
	}
}

// orderly jobs, which end within their limits.
func orderly(seed uint64) Input {
	r := rand.New(rand.NewPCG(seed, 2))
	n := func(below int64) int64 { return r.Int64N(below) }
	input := Input{Nodes: nodes(3 + int(n(6))), Grace: n(3) * 30}
	for i := range 40 {
		limit := 600 * (1 + n(24))
		j := job(fmt.Sprint("j", i), n(20000), int32(1+n(1+n(8))), 1+n(8), max(limit-600*n(3), 60), limit)
		j.Gang.Checkpointed = n(3) // as if most had run before
		input.Jobs = append(input.Jobs, j)
	}
	return input
}
