// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package kill

import (
	"context"
	"sync"
	"testing"
	"time"

	"slipway.dev/slipway/test/e2e/rig"
)

// client asks a URL again and again, over a new connection each time.
type client struct {
	cancel context.CancelFunc
	ended  sync.WaitGroup

	// Read after stop.
	answered int
	failures []string
}

// ask begins to ask.
func ask(t *testing.T, url string) *client {
	ctx, cancel := context.WithCancel(t.Context())
	c := &client{cancel: cancel}
	c.ended.Go(func() {
		pace := time.NewTicker(20 * time.Millisecond)
		defer pace.Stop()
		for ctx.Err() == nil {
			_, err := rig.Get(ctx, url)
			switch {
			case err == nil:
				c.answered++
			case ctx.Err() == nil:
				c.failures = append(c.failures, time.Now().Format(time.TimeOnly)+" "+err.Error())
			}
			<-pace.C
		}
	})
	return c
}

func (c *client) stop() {
	c.cancel()
	c.ended.Wait()
}
