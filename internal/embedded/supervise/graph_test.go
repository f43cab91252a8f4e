// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package supervise

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestRunOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var ended []string
		step := func(name string, took time.Duration, needs ...string) Step {
			return Step{Name: name, Needs: needs, Run: func(ctx context.Context) error {
				select {
				case <-time.After(took):
				case <-ctx.Done():
				}
				mu.Lock()
				defer mu.Unlock()
				ended = append(ended, name)
				return nil
			}}
		}
		began := time.Now()
		err := Run(t.Context(), []Step{
			step("a", 3*time.Second), step("b", time.Second), step("c", time.Second, "b"), step("d", time.Second, "a", "c"),
		}, func(Event) {})
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"b", "c", "a", "d"}; !slices.Equal(ended, want) {
			t.Errorf("steps ended in the order %v, want %v", ended, want)
		}
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("took %s, want 4s: a and b at the same time", took)
		}
	})
}

func TestRunFailure(t *testing.T) {
	var begun []string
	broken := errors.New("no disk")
	err := Run(t.Context(), []Step{
		{Name: "a", Run: func(context.Context) error { return broken }},
		{Name: "b", Needs: []string{"a"}, Run: func(context.Context) error { return nil }},
	}, func(e Event) {
		if !e.Done {
			begun = append(begun, e.Step)
		}
	})
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "a: ") {
		t.Errorf("Run = %v, want a: %v", err, broken)
	}
	if !slices.Equal(begun, []string{"a"}) {
		t.Errorf("begun %v, want a alone", begun)
	}
}

// TestRunOutOfTime: whoever waited for a boot in vain is told which step it was.
func TestRunOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := errors.New("it took longer than 1s")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, late)
		defer cancel()
		err := Run(ctx, []Step{
			{Name: "a", Run: func(context.Context) error { return nil }},
			{Name: "b", Run: func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }},
		}, func(Event) {})
		if !errors.Is(err, late) || !strings.HasPrefix(err.Error(), "b: ") {
			t.Errorf("Run = %v, want b: %v", err, late)
		}
	})
}

// TestRunOutOfTimeBetweenSteps: where no step failed there is none to tell of.
func TestRunOutOfTimeBetweenSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := errors.New("it took longer than 1s")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, late)
		defer cancel()
		err := Run(ctx, []Step{
			{Name: "a", Run: func(ctx context.Context) error { <-time.After(2 * time.Second); return nil }},
			{Name: "b", Needs: []string{"a"}, Run: func(context.Context) error { return nil }},
		}, func(Event) {})
		if err != late {
			t.Errorf("Run = %v, want %v", err, late)
		}
	})
}

// TestRunInterrupted: whoever ends a boot is not told of the steps that ended with it.
func TestRunInterrupted(t *testing.T) {
	interrupt := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	err := Run(ctx, []Step{
		{Name: "a", Run: func(ctx context.Context) error { cancel(interrupt); return errors.New("half done") }},
	}, func(Event) {})
	if err != interrupt {
		t.Errorf("Run = %v, want %v", err, interrupt)
	}
}

func TestRunRefusesGraphs(t *testing.T) {
	nothing := func(context.Context) error { return nil }
	for name, steps := range map[string][]Step{
		"unknown need": {{Name: "a", Needs: []string{"x"}, Run: nothing}},
		"cycle":        {{Name: "a", Needs: []string{"b"}, Run: nothing}, {Name: "b", Needs: []string{"a"}, Run: nothing}},
		"same name":    {{Name: "a", Run: nothing}, {Name: "a", Run: nothing}},
	} {
		if err := Run(t.Context(), steps, func(Event) {}); err == nil {
			t.Errorf("%s: Run = nil, want an error", name)
		}
	}
}
