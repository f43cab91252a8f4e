// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"time"

	"golang.org/x/sync/semaphore"
)

// hold is what one request has of the room that all bodies share. A body is
// held for as long as its request is under way, so without a bound a few hundred
// clients would fill the machine's memory.
type hold struct {
	room *semaphore.Weighted // in bytes
	size int64
}

// grow takes room for a body of so many bytes in all. It does not wait: who
// waits for room holds some too.
func (h *hold) grow(size int64) error {
	if more := size - h.size; more > 0 {
		if !h.room.TryAcquire(more) {
			return unavailable(time.Second, "too many requests with large bodies are under way; try again")
		}
		h.size = size
	}
	return nil
}

func (h *hold) release() {
	h.room.Release(h.size)
	h.size = 0
}
