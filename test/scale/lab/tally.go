// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Tally notes when something was first true of each object.
type Tally struct {
	mu   sync.Mutex
	seen map[types.UID]time.Time
	// changed is closed, and made anew, when an object is added.
	changed chan struct{}
}

func newTally() *Tally {
	return &Tally{seen: map[types.UID]time.Time{}, changed: make(chan struct{})}
}

func (t *Tally) note(uid types.UID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.seen[uid]; known {
		return
	}
	t.seen[uid] = time.Now()
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *Tally) state() (int, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.seen), t.changed
}

// Await so many objects.
func (t *Tally) Await(ctx context.Context, count int) error {
	for {
		have, changed := t.state()
		if have >= count {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%w; %d of %d were seen", context.Cause(ctx), have, count)
		}
	}
}

// Of says when it became true of one object, if it did.
func (t *Tally) Of(uid types.UID) (time.Time, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at, is := t.seen[uid]
	return at, is
}

// Times are when it became true of each object, first ones first.
func (t *Tally) Times() []time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.SortedFunc(maps.Values(t.seen), time.Time.Compare)
}

// Last is when the last object was added; zero when none was.
func (t *Tally) Last() time.Time {
	times := t.Times()
	if len(times) == 0 {
		return time.Time{}
	}
	return times[len(times)-1]
}
