// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestTally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tally := newTally()
		began := time.Now()
		for i, name := range []string{"a", "b"} {
			time.AfterFunc(time.Duration(i+1)*time.Second, func() {
				tally.note(types.UID(name))
				tally.note("a") // Seen again: the first time counts.
			})
		}
		if err := tally.Await(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		if got := tally.Last().Sub(began); got != 2*time.Second {
			t.Errorf("the last came after %s, want 2s", got)
		}
		if got := tally.Times()[0].Sub(began); got != time.Second {
			t.Errorf("the first came after %s, want 1s", got)
		}
		late := errors.New("too late")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, late)
		defer cancel()
		if err := tally.Await(ctx, 3); !errors.Is(err, late) {
			t.Errorf("awaiting one too many: %v, want %v", err, late)
		}
	})
}
