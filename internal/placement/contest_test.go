// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPassingOver: that gangs without hope are passed over changes no answer.
func TestPassingOver(t *testing.T) {
	for seed := range *pictures / 4 {
		random := rand.New(rand.NewPCG(uint64(seed), 11))
		data := make([]byte, 600)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		quick, thorough := newWorld(t, data), newWorld(t, data)
		quick.p.settling, thorough.p.settling = seed%2 == 1, seed%2 == 1
		for quick.step() {
			thorough.p.judgedFacts = thorough.p.facts + 1 // Nobody is passed over.
			thorough.step()
			if diff := cmp.Diff(thorough.verdicts, quick.verdicts); diff != "" {
				t.Fatalf("seed %d (-everyone tried +some passed over):\n%s", seed, diff)
			}
		}
	}
}

// TestNoHopeIsNoAnswer: of two gangs that are alike each is told that it may fit now.
func TestNoHopeIsNoAnswer(t *testing.T) {
	p := New()
	node := func(name string, gpus int64, ready bool) {
		p.SetNode(Node{Name: name, Ready: ready, Allocatable: Resources{"gpu": gpus, pods: 10}})
	}
	node("small", 4, true)
	for i, key := range []string{"a", "b"} {
		err := p.SetGang(Gang{Key: key, Created: int64(i), Sets: []PodSet{{Name: "w", Count: 1, Shape: Shape{Requests: Resources{"gpu": 8}}}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	told := func(want State) {
		t.Helper()
		verdicts := p.Decide()
		if len(verdicts) != 2 || verdicts[0].State != want || verdicts[1].State != want {
			t.Errorf("both gangs should be told %s: %v", want, verdicts)
		}
	}
	told(Never)
	node("large", 8, false)
	told(Waiting)
}
