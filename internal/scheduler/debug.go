// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"net/http"
	"time"
)

// debugPath is where the platform's server of metrics tells what the scheduler knows.
const debugPath = "/debug/scheduler"

// debug writes what the ledger knows as a snapshot, which "slipway simulate" and Decide
// replay.
type debug struct{ *scheduler }

func (d debug) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "this path is only read; use GET", http.StatusMethodNotAllowed)
		return
	}
	known := d.known(time.Now())
	if known == nil {
		http.Error(w, "the scheduler of this replica has decided nothing yet: another replica leads, or it has just started", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// An error means that whoever asked is gone.
	_ = known.taken().Write(w)
}

// known to the ledger, or nil before the first decision.
func (s *scheduler) known(now time.Time) *known {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ledger.decided {
		return nil
	}
	return s.ledger.known(now)
}
