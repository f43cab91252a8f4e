// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "testing"

// TestElder: a gang is one when it has waited for longer than there is patience, and has
// not run in that time.
func TestElder(t *testing.T) {
	s := newScene(t, "gpu")
	s.submit("runs", 0, 1, "gpu", 0)
	s.states(0)
	s.submit("waits", 100, 1, "gpu", 0)
	s.states(100)
	elder := func(key string, now int64, want bool) {
		t.Helper()
		if s.Elapse(now); s.elder(s.gangs[key]) != want {
			t.Errorf("at %d it should be %t that %s is an elder", now, want, key)
		}
	}
	elder("waits", 100+DefaultPatience, false)
	elder("waits", 101+DefaultPatience, true)
	elder("runs", 101+DefaultPatience, false)
	// One that is changed stops, and waits since.
	s.submit("runs", 0, 2, "gpu", 0)
	s.submit("runs", 0, 2, "fpga", 0)
	elder("runs", 101+2*DefaultPatience, false)
	elder("runs", 102+2*DefaultPatience, true)
	s.submit("runs", 0, 2, "gpu", 0)
	elder("runs", 102+2*DefaultPatience, true)
	s.Patience = 0
	elder("waits", 1<<40, false)
}

// TestEldestIsPromisedNext: there is one promise to give. It goes to the gang whose queue
// has less, until the other one has waited for very long.
func TestEldestIsPromisedNext(t *testing.T) {
	s := newScene(t, "gpu", "gpu")
	submit := func(key, queue string, created int64, limit int64) {
		t.Helper()
		err := s.SetGang(Gang{Key: key, Queue: queue, Created: created, Limit: limit, Sets: []PodSet{
			{Name: "w", Count: 2, Shape: Shape{Requests: Resources{"gpu": 1}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"has more", "has less"} {
		if err := s.SetQueue(Queue{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	submit("runs", "has more", 0, 200_000)
	s.states(0)
	submit("old", "has more", 10, 10)
	submit("young", "has less", 20, 10)
	for _, c := range []struct {
		now  int64
		want string
	}{{10 + DefaultPatience, "young"}, {11 + DefaultPatience, "old"}} {
		s.unplan()
		s.states(c.now)
		s.Plan(1)
		s.planned(c.want, 200_000)
	}
}
