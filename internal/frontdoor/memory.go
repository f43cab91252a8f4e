// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"context"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/apimachinery/pkg/util/cache"
)

// askTimeout bounds one question to the API server.
const askTimeout = 10 * time.Second

// memory remembers the API server's answers: each for as long as it says, at
// most so many in all, and those least recently used go first. What several
// requests want to know at a time is asked once.
type memory[V any] struct {
	answers *cache.LRUExpireCache
	asking  singleflight.Group
}

func newMemory[V any](most int) *memory[V] {
	return &memory[V]{answers: cache.NewLRUExpireCache(most)}
}

// get answers from memory, or asks. What ask returns is kept for the duration
// that it gives, an error not at all. The question outlives the request that
// asked it first, for the sake of the others.
func (m *memory[V]) get(ctx context.Context, key string, ask func(context.Context) (V, time.Duration, error)) (V, error) {
	if answer, known := m.answers.Get(key); known {
		return answer.(V), nil
	}
	var none V
	if err := ctx.Err(); err != nil {
		return none, err // who has gone asks nothing
	}
	asked := m.asking.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
		defer cancel()
		answer, keep, err := ask(ctx)
		if err == nil && keep > 0 {
			m.answers.Add(key, answer, keep)
		}
		return answer, err
	})
	select {
	case <-ctx.Done():
		return none, ctx.Err()
	case result := <-asked:
		if result.Err != nil {
			return none, result.Err
		}
		return result.Val.(V), nil
	}
}
